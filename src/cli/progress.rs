//! What is under way, told line by line.
use super::output::Output;
use crate::model::Key;
pub struct Progress<'a>(&'a Output);
impl<'a> Progress<'a> {
    pub fn new(output: &'a Output) -> Self {
        Self(output)
    }
    pub fn status(&self, key: &Key, status: &str) {
        self.0.note(&format!("{key}: {status}"));
    }
    pub fn done(&self, key: &Key, status: &str) {
        self.0.note(&format!("{key}: {status}"));
    }
}
