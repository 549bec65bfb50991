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
            // What we remember may be gone, and somebody else's may have taken its name. What was made
            // in this run is not listed yet, and what had its name before may be.
            let is_gone = |id: &RemoteId| match key.kind {
                Kind::EnvGroup => live.with_id(key.kind, id).is_none(),
                Kind::Database | Kind::Service => live.gone.contains(id),
            };
            let id = remembered.clone().filter(|id| !is_gone(id)).or(named).or(remembered);
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
