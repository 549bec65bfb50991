//! What the other side says, made fit to be shown: bounded, and without secrets (S9).
//!
//! It deliberately leaves control characters in: whoever prints makes a text inert.

use std::sync::Arc;

use super::call::Call;
use super::endpoint::Token;
use crate::model::{Desired, FieldValue, Secret, concealed, struck};

/// How much longer than what is kept a text is looked at: striking out makes it shorter.
const LOOKED_AT_TIMES: usize = 8;

/// What must not stand in any text of the other side.
pub(super) struct Foreign<'a> {
    /// The token, and the secrets of the request's body.
    secrets: Vec<&'a str>,
    /// What was declared: a later answer may quote what an earlier request brought.
    declared: Option<Arc<Desired>>,
}

impl<'a> Foreign<'a> {
    /// Gathers what an answer to a call may quote.
    pub(super) fn to(call: &Call<'a>, token: &'a Token, declared: Option<Arc<Desired>>) -> Self {
        let secrets = call.body.into_iter().flat_map(|body| body.secrets());
        Self { secrets: secrets.chain([token.expose()]).collect(), declared }
    }

    /// Returns so many characters of a text at most, with every secret of ours struck out in
    /// whatever form it is quoted, and what looks like anybody's.
    pub(super) fn shown(&self, text: &str, chars_max: usize) -> String {
        let mut looked_at = text.char_indices().skip(chars_max * LOOKED_AT_TIMES);
        let text = looked_at.next().map_or(text, |(end, _)| &text[..end]);
        let text = struck(text, self.secrets.iter().copied().chain(self.declared()));
        let text = concealed(&text);
        match text.char_indices().nth(chars_max) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.into_owned(),
        }
    }

    fn declared(&self) -> impl Iterator<Item = &str> {
        let resources = self.declared.iter().flat_map(|desired| desired.resources.values());
        let replaced = self.declared.iter().flat_map(|desired| &desired.replaced);
        let fields = resources.flat_map(|resource| resource.fields.values());
        let declared = fields.filter_map(|field| match &field.value {
            FieldValue::Secret(secret) => Some(secret.expose()),
            FieldValue::Text(_)
            | FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Set(_)
            | FieldValue::Reference(_) => None,
        });
        declared.chain(replaced.map(Secret::expose))
    }
}
