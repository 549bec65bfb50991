//! The ids by which a body names what it refers to.

use crate::api::Links;
use crate::model::{FieldPath, FieldValue, Kind, Live, RemoteId};

use super::Hands;

impl Hands<'_> {
    /// Returns the ids of what these fields refer to: created in this run or before, else live.
    pub(super) fn links<'f>(
        &self,
        live: &Live,
        fields: impl Iterator<Item = (&'f FieldPath, &'f FieldValue)>,
    ) -> Links {
        let mut links = Links::default();
        for key in fields.flat_map(|(path, value)| value.refers_to(path)) {
            let remembered = self.store().inventory().entries.get(&key).map(|it| it.id.clone());
            let named = match live.named(&key).as_slice() {
                [object] => Some(object.id.clone()),
                [] | [_, ..] => None,
            };
            let lives = |id: &RemoteId| live.with_id(key.kind, id).is_some();
            // What we remember may be gone, and somebody else's may have taken its name.
            let id = remembered.clone().filter(lives).or(named).or(remembered);
            let names = match key.kind {
                Kind::EnvGroup => &mut links.env_groups,
                Kind::Database => &mut links.databases,
                Kind::Service => &mut links.services,
            };
            names.extend(id.map(|id| (key.name, id)));
        }
        links
    }
}
