//! Every assumption about the API that a user can set, in one value (A1–A22).
//!
//! Chosen once: the default, then the settings file, then `--dialect KEY=VALUE`. What nobody can
//! set is named by its number where it is used. `docs/assumptions.md` tells users how to check
//! each. It deliberately decides nothing: it answers what the rest of the room asks.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use about::ABOUT;

use crate::model::{Kind, Setting};

mod about;
mod names;

/// Declares a closed set of words that a user may set.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident => $text:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name { $($(#[$meaning])* $variant,)+ }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is not one of {}", [$($text),+].join(", "))),
                }
            }
        }
    )+};
}

words! {
    /// What `env_vars` in a PATCH means (A5).
    EnvPatch {
        /// Entries are upserted by key; `"value": null` removes.
        #[default]
        Merge => "merge",
        /// The list replaces the old one.
        Replace => "replace",
    }
    /// How a service names its env groups (A14).
    GroupNaming {
        /// By id.
        #[default]
        Id => "id",
        /// By name.
        Name => "name",
    }
    /// Who resolves a variable's reference to another resource (A17).
    Resolver {
        /// The platform does.
        #[default]
        Platform => "platform",
        /// The agent reads the value and sends it as a secret.
        Agent => "agent",
    }
    /// What a list is (A1).
    ListForm {
        /// An object that holds the items.
        #[default]
        Object => "object",
        /// The items themselves: it tells no total.
        Array => "array",
    }
    /// What proves that something is not there (A25).
    NotFound {
        /// 404 with an `error.code` of the API's own.
        #[default]
        Code => "code",
        /// 404 with any JSON object.
        Status => "status",
    }
    /// Whether a PATCH of `name` renames (A18).
    Rename {
        /// It does.
        #[default]
        Patch => "patch",
        /// Nothing does.
        Unsupported => "unsupported",
    }
}

/// What is taken to be true of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// A1: the parameter that asks for a page.
    pub page_param: String,
    /// A1: the number of the first page, 1 or 0.
    pub page_first: u32,
    /// A1: the parameter that asks for a page's size.
    pub per_page_param: String,
    /// A1: the size asked for. A hint: the size of page 1 is what counts.
    pub per_page: u32,
    /// A1: the field of a list that names the next page, for lists that go on by it; nested with a dot.
    pub cursor_field: String,
    /// A1: the parameter that asks for the page of a name.
    pub cursor_param: String,
    /// A1: what a list is.
    pub list_form: ListForm,
    /// A1: the field of a list that says how many items there are in all; nested with a dot.
    pub total_field: String,
    /// A1: whether a list without a total is incomplete; if not, it is read until a page is empty.
    pub total_required: bool,
    /// A1: the key of each list, where it is not the plural of F5; nested with a dot.
    pub list_keys: BTreeMap<String, String>,
    /// A1, A2: the field in which every good answer stands; nested with a dot.
    pub envelope: String,
    /// A2: whether the body of a write is wrapped in the singular name. Answers are read both ways.
    pub wrapper: bool,
    /// A3: the API's name for a setting, where it is not the usual one; nested with a dot.
    pub field_names: BTreeMap<String, String>,
    /// A25.
    pub not_found: NotFound,
    /// A5.
    pub env_patch: EnvPatch,
    /// A6: whether a PATCH needs a deploy after it.
    pub deploy_after_patch: bool,
    /// A8: whether the API refuses a second thing with one name. Not relied on.
    pub names_unique: bool,
    /// A22: whether a person says that names are kept as they are sent.
    pub names_kept: bool,
    /// A13: the API's words for `web`, `worker`, `cron`, `static`, where they differ.
    pub type_names: BTreeMap<String, String>,
    /// A14.
    pub env_groups: GroupNaming,
    /// A17.
    pub resolve_references: Resolver,
    /// A18.
    pub rename: Rename,
    /// A26: the variables that the platform puts on by itself, with commas; `STACKBLAZE_*` is all
    /// that begin so.
    pub platform_env: String,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            page_param: "page".to_owned(),
            page_first: 1,
            per_page_param: "per_page".to_owned(),
            per_page: 100,
            cursor_field: NONE.to_owned(),
            cursor_param: "cursor".to_owned(),
            list_form: ListForm::default(),
            total_field: "total".to_owned(),
            total_required: true,
            list_keys: BTreeMap::new(),
            envelope: NONE.to_owned(),
            wrapper: false,
            field_names: BTreeMap::new(),
            not_found: NotFound::default(),
            env_patch: EnvPatch::default(),
            deploy_after_patch: false,
            names_unique: true,
            names_kept: false,
            type_names: BTreeMap::new(),
            env_groups: GroupNaming::default(),
            resolve_references: Resolver::default(),
            rename: Rename::default(),
            platform_env: "PORT,STACKBLAZE_*".to_owned(),
        }
    }
}

/// One setting of the dialect, for `doctor` and the help text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialectEntry {
    /// What to write before `=`.
    pub key: &'static str,
    /// The assumption it belongs to.
    pub assumption: &'static str,
    /// What it holds now.
    pub value: String,
    /// What it means.
    pub about: &'static str,
}

/// A `--dialect KEY=VALUE` that cannot be understood, a fragment that completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("set the dialect: {0}")]
pub struct DialectError(String);

impl Dialect {
    /// Sets one value from `KEY=VALUE`, for example `env_patch=replace` or `type_names.web=app`.
    ///
    /// # Errors
    /// When there is no such key, or it cannot have that value.
    pub fn set(&mut self, text: &str) -> Result<(), DialectError> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| DialectError(format!("`{text}` is not KEY=VALUE")))?;
        self.set_value(key.trim(), value.trim())
            .map_err(|reason| DialectError(format!("{}: {reason}", key.trim())))
    }

    fn set_value(&mut self, key: &str, value: &str) -> Result<(), String> {
        if let Some((map, entry)) = key.split_once('.') {
            return self.set_entry(map, entry, value);
        }
        match key {
            "page_param" => self.page_param = filled(value)?,
            "page_first" => self.page_first = first_page(value)?,
            "per_page_param" => self.per_page_param = filled(value)?,
            "per_page" => self.per_page = count(value)?,
            "cursor_field" => self.cursor_field = filled(value)?,
            "cursor_param" => self.cursor_param = filled(value)?,
            "list_form" => self.list_form = value.parse()?,
            "total_field" => self.total_field = filled(value)?,
            "total_required" => self.total_required = truth(value)?,
            "envelope" => self.envelope = filled(value)?,
            "not_found" => self.not_found = value.parse()?,
            "wrapper" => self.wrapper = truth(value)?,
            "env_patch" => self.env_patch = value.parse()?,
            "deploy_after_patch" => self.deploy_after_patch = truth(value)?,
            "names_unique" => self.names_unique = truth(value)?,
            "names_kept" => self.names_kept = truth(value)?,
            "env_groups" => self.env_groups = value.parse()?,
            "resolve_references" => self.resolve_references = value.parse()?,
            "rename" => self.rename = value.parse()?,
            "platform_env" => self.platform_env = filled(value)?,
            _ => return Err(unknown_key()),
        }
        Ok(())
    }

    fn set_entry(&mut self, map: &str, entry: &str, value: &str) -> Result<(), String> {
        let value = filled(value)?;
        let map = match map {
            "list_keys" if LISTS.contains(&entry) => &mut self.list_keys,
            "list_keys" => return Err(format!("expected one of {}", LISTS.join(", "))),
            "type_names" if TYPES.iter().any(|(word, _)| *word == entry) => &mut self.type_names,
            "type_names" => return Err("expected one of web, worker, cron, static".to_owned()),
            "field_names" if Setting::ALL.iter().any(|setting| setting.as_str() == entry) => {
                &mut self.field_names
            }
            "field_names" => return Err(format!("unknown manifest setting `{entry}`")),
            _ => return Err(unknown_key()),
        };
        map.insert(entry.to_owned(), value);
        Ok(())
    }

    /// Returns every setting with its value and meaning.
    #[must_use]
    pub fn entries(&self) -> Vec<DialectEntry> {
        ABOUT
            .iter()
            .map(|(key, assumption, about)| DialectEntry {
                key,
                assumption,
                value: self.shown(key),
                about,
            })
            .collect()
    }

    fn shown(&self, key: &str) -> String {
        // Through serde, so that a new field cannot be forgotten here.
        let whole = serde_json::to_value(self).unwrap_or_default();
        match whole.get(key) {
            None => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(serde_json::Value::Object(map)) => map
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
                .collect::<Vec<_>>()
                .join(","),
            Some(value) => value.to_string(),
        }
    }

    /// Returns the key under which a list stands (A1).
    pub(super) fn list_key<'a>(&'a self, plural: &'a str) -> &'a str {
        self.list_keys.get(plural).map_or(plural, String::as_str)
    }

    /// Returns the field in which every good answer stands, where there is one (A2).
    pub(super) fn envelope(&self) -> Option<&str> {
        given(&self.envelope)
    }

    /// Returns the field that names the next page, where lists go on by it (A1).
    pub(super) fn cursor_field(&self) -> Option<&str> {
        given(&self.cursor_field)
    }

    /// Returns the parameter that asks for the page of a number, where there is one (A1).
    pub(super) fn page_param(&self) -> Option<&str> {
        given(&self.page_param)
    }

    /// Returns the parameter that asks for a page's size, where there is one (A1).
    pub(super) fn per_page_param(&self) -> Option<&str> {
        given(&self.per_page_param)
    }

    /// Returns the API's word for a type of service (A13); a word we do not know is the API's own.
    pub(super) fn type_to_api(&self, word: &str) -> String {
        let usual = TYPES.iter().find(|(ours, _)| *ours == word).map(|(_, theirs)| *theirs);
        let word = self.type_names.get(word).map_or(usual.unwrap_or(word), String::as_str);
        word.to_owned()
    }

    /// Returns the manifests' word for a type of service (A13); a word we do not know is kept.
    pub(super) fn type_from_api(&self, word: &str) -> String {
        let ours = TYPES.iter().map(|(ours, _)| *ours).find(|ours| self.type_to_api(ours) == word);
        ours.unwrap_or(word).to_owned()
    }

    /// Returns the path of a setting in the API's objects, nested with a dot (A3, A16).
    pub(super) fn field_name(&self, kind: Kind, setting: Setting) -> Option<&str> {
        let usual = names::usual(kind, setting)?;
        Some(self.field_names.get(setting.as_str()).map_or(usual, String::as_str))
    }
}

/// The value of a field or parameter that there is not.
const NONE: &str = "none";

/// The lists of A1.
const LISTS: [&str; 5] = ["services", "databases", "envgroups", "deployments", "members"];

/// A13: the manifests' words and the API's.
const TYPES: [(&str, &str); 4] = [
    ("web", "web_service"),
    ("worker", "background_worker"),
    ("cron", "cron_job"),
    ("static", "static_site"),
];

fn unknown_key() -> String {
    let keys: Vec<&str> = ABOUT.iter().map(|(key, _, _)| *key).collect();
    format!("unknown key; there are {}", keys.join(", "))
}

/// Returns the name of a field or parameter that there is.
fn given(name: &str) -> Option<&str> {
    (name != NONE).then_some(name)
}

fn filled(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("it is empty".to_owned()) } else { Ok(value.to_owned()) }
}

fn truth(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("`{value}` is not `true` or `false`"))
}

fn first_page(value: &str) -> Result<u32, String> {
    match value {
        "0" => Ok(0),
        "1" => Ok(1),
        _ => Err(format!("`{value}` is not 0 or 1")),
    }
}

fn count(value: &str) -> Result<u32, String> {
    value
        .parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or_else(|| format!("`{value}` is not a positive number"))
}

#[cfg(test)]
mod tests;
