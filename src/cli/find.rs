//! From a key to the one live object.
use super::{exit::Exit, failure::Failure, session::Session};
use crate::model::{Key, LiveObject};
pub async fn find(session: &Session, key: &Key) -> Result<LiveObject, Failure> {
    let listing = session.reader.list(key.kind).await?;
    listing
        .objects
        .into_iter()
        .find(|o| o.name == key.name.as_str())
        .ok_or_else(|| Failure::new(Exit::Failed, "not_found", format!("{key} does not live here")))
}
