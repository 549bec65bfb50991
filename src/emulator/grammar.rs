//! Faults as text, for `stoker sandbox --faults '…'`.
//!
//! ```text
//! faults  = part { ";" part }
//! part    = rule | chance
//! rule    = fault "@" method " " path [ "#" count ]     lose-answer@POST /services#2
//! method  = "GET" | "POST" | "PATCH" | "DELETE" | "*"
//! path    = below /v1; "*" is any one segment, "**" any rest
//! count   = N | N "-" M | N "+"                         occurrences from 1; without: all
//! chance  = "seed=" N "," "rate=" R                     the default table, R of all requests
//!         | "seed=" N { "," fault "=" R }               a table of one's own
//! fault   = word [ ":" argument ]
//! ```
//!
//! The words, with their arguments:
//!
//! | Word | Plays |
//! |---|---|
//! | `refuse` `lose-answer` `lose-renamed` `apply-late:MS` `hang` | whether it is applied and answered |
//! | `cut:BYTES` `truncate:BYTES` `drip` | the body, dropped, shortened, or a byte a second |
//! | `429` `429:none` `429:30` `429:5\|7` | too many, with these values of `Retry-After` |
//! | `fail:STATUS` `fail-after:STATUS` | a status before, or after, it is applied |
//! | `html` `html-after` `empty` `no-id` | 200 with HTML, 200 with nothing, an object without id |
//! | `stale:MS` `hide-new:MS` | reads from a replica that is behind |
//! | `shift-repeat` `shift-vanish` `page-ignored` | lists that move while they are read |
//! | `total:missing` `total:wrong` `total:negative` `rename-key` `duplicate` | lists that lie |
//! | `deploy-fails` | the deployment that the request begins |
//! | `malice` `strange` `redirect:URL` `skew:MS` | hostile names, unknown words, 302, `Date` |
//! | `quote:FORM` | 422 that quotes the body: `plain` `upper` `percent` `escaped` `base64` `cut` |

use std::fmt;

use super::fault::{Chance, Fault, Faults, Rule, WrongTotal};
use super::quote::Quote;
use super::random::Random;

/// What `rate=` spreads evenly over: all that a client must survive without help.
///
/// Left out are `hang` and `drip`, which only cost time; `malice`, `redirect`, `skew` and `quote`,
/// which ask another question; `shift-vanish`, which creates things; and `deploy-fails`, which no client
/// can mend.
pub(super) const TABLE: &str = "refuse lose-answer apply-late:30000 cut:17 truncate:17 429 429:none \
    fail:500 fail:502 fail:503 fail-after:500 html empty no-id stale:5000 hide-new:5000 \
    shift-repeat page-ignored total:missing total:wrong duplicate";

const WORDS: &str = "refuse, lose-answer, lose-renamed, apply-late:MS, hang, cut:BYTES, truncate:BYTES, drip, \
    429, fail:STATUS, fail-after:STATUS, html, html-after, empty, no-id, stale:MS, hide-new:MS, \
    shift-repeat, shift-vanish, page-ignored, total:missing|wrong|negative, rename-key, \
    duplicate, deploy-fails, malice, strange, redirect:URL, skew:MS, \
    quote:plain|upper|percent|escaped|base64|cut";

impl Faults {
    /// Reads faults from text; the grammar is at the head of `grammar.rs`.
    ///
    /// `seed=7,rate=0.05` plays any fault with one request in twenty.
    /// `lose-answer@POST /services#2; cut:17@GET /services` plays two, where it says.
    ///
    /// # Errors
    ///
    /// Names the part that cannot be read, and what was expected there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            if part.starts_with("seed=") {
                if faults.chance.is_some() {
                    return Err(format!("`{part}`: there can be one seed only"));
                }
                faults.chance = Some(parse_chance(part)?);
            } else {
                faults.rules.push(parse_rule(part)?);
            }
        }
        Ok(faults)
    }
}

impl Fault {
    /// Reads one fault, like `cut:17`.
    ///
    /// # Errors
    ///
    /// Names the word or the argument that cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (word, argument) = match text.split_once(':') {
            Some((word, argument)) => (word, Some(argument)),
            None => (text, None),
        };
        let plain = |fault: Self| match argument {
            None => Ok(fault),
            Some(_) => Err(format!("`{word}` takes no argument")),
        };
        match word {
            "refuse" => plain(Self::Refuse),
            "lose-answer" => plain(Self::LoseAnswer),
            "lose-renamed" => plain(Self::LoseRenamed),
            "hang" => plain(Self::Hang),
            "drip" => plain(Self::Drip),
            "html" => plain(Self::Html),
            "html-after" => plain(Self::HtmlAfter),
            "empty" => plain(Self::Empty),
            "no-id" => plain(Self::NoId),
            "shift-repeat" => plain(Self::ShiftRepeat),
            "shift-vanish" => plain(Self::ShiftVanish),
            "page-ignored" => plain(Self::PageIgnored),
            "rename-key" => plain(Self::RenameKey),
            "duplicate" => plain(Self::Duplicate),
            "deploy-fails" => plain(Self::DeployFails),
            "malice" => plain(Self::Malice),
            "strange" => plain(Self::Strange),
            "apply-late" => Ok(Self::ApplyLate(number(word, argument)?)),
            "cut" => Ok(Self::Cut(number(word, argument)?)),
            "truncate" => Ok(Self::Truncate(number(word, argument)?)),
            "fail" => Ok(Self::Fail(status(word, argument)?)),
            "fail-after" => Ok(Self::FailAfter(status(word, argument)?)),
            "stale" => Ok(Self::Stale(number(word, argument)?)),
            "hide-new" => Ok(Self::HideNew(number(word, argument)?)),
            "skew" => Ok(Self::Skew(number(word, argument)?)),
            "429" => Ok(Self::TooMany(argument.map(parse_retry_after))),
            "total" => parse_total(argument),
            "quote" => parse_quote(argument),
            "redirect" => match argument {
                Some(url) if !url.is_empty() => Ok(Self::Redirect(url.into())),
                _ => {
                    Err("`redirect` needs an address, as in `redirect:https://example.com`".into())
                }
            },
            _ => Err(format!("unknown fault `{word}`; the faults are {WORDS}")),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("refuse"),
            Self::LoseAnswer => f.write_str("lose-answer"),
            Self::LoseRenamed => f.write_str("lose-renamed"),
            Self::ApplyLate(delay) => write!(f, "apply-late:{delay}"),
            Self::Hang => f.write_str("hang"),
            Self::Cut(bytes) => write!(f, "cut:{bytes}"),
            Self::Truncate(bytes) => write!(f, "truncate:{bytes}"),
            Self::Drip => f.write_str("drip"),
            Self::TooMany(None) => f.write_str("429"),
            Self::TooMany(Some(values)) if values.is_empty() => f.write_str("429:none"),
            Self::TooMany(Some(values)) => write!(f, "429:{}", values.join("|")),
            Self::Fail(status) => write!(f, "fail:{status}"),
            Self::FailAfter(status) => write!(f, "fail-after:{status}"),
            Self::Html => f.write_str("html"),
            Self::HtmlAfter => f.write_str("html-after"),
            Self::Empty => f.write_str("empty"),
            Self::NoId => f.write_str("no-id"),
            Self::Stale(age) => write!(f, "stale:{age}"),
            Self::HideNew(age) => write!(f, "hide-new:{age}"),
            Self::ShiftRepeat => f.write_str("shift-repeat"),
            Self::ShiftVanish => f.write_str("shift-vanish"),
            Self::PageIgnored => f.write_str("page-ignored"),
            Self::Total(WrongTotal::Missing) => f.write_str("total:missing"),
            Self::Total(WrongTotal::Wrong) => f.write_str("total:wrong"),
            Self::Total(WrongTotal::Negative) => f.write_str("total:negative"),
            Self::RenameKey => f.write_str("rename-key"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::DeployFails => f.write_str("deploy-fails"),
            Self::Malice => f.write_str("malice"),
            Self::Strange => f.write_str("strange"),
            Self::Redirect(url) => write!(f, "redirect:{url}"),
            Self::Skew(offset) => write!(f, "skew:{offset}"),
            Self::Quote(quote) => write!(f, "quote:{}", quote.word()),
        }
    }
}

fn parse_rule(part: &str) -> Result<Rule, String> {
    // The address of a redirect may hold an `@`, a path may not.
    let Some((fault, place)) = part.rsplit_once('@') else {
        return Err(format!("`{part}`: expected `fault@METHOD /path` or `seed=N,rate=R`"));
    };
    let fault = Fault::parse(fault.trim()).map_err(|reason| format!("`{part}`: {reason}"))?;
    let Some((method, path)) = place.trim().split_once(' ') else {
        return Err(format!("`{part}`: expected a method and a path after `@`"));
    };
    let method = match method {
        "*" => None,
        "GET" | "POST" | "PATCH" | "DELETE" => Some(method.to_owned()),
        _ => {
            return Err(format!("`{part}`: `{method}` is not GET, POST, PATCH, DELETE or *"));
        }
    };
    let (path, occurrences) = match path.split_once('#') {
        Some((path, count)) => {
            let range = parse_occurrences(count.trim());
            (path, range.ok_or_else(|| format!("`{part}`: `{count}` is not N, N-M or N+"))?)
        }
        None => (path, (1, u64::MAX)),
    };
    let path = path.trim();
    if !path.starts_with('/') && path != "**" {
        return Err(format!("`{part}`: the path must begin with `/`"));
    }
    let path = path.split('/').filter(|segment| !segment.is_empty()).map(Into::into).collect();
    Ok(Rule { fault, method, path, occurrences, seen: 0 })
}

fn parse_occurrences(text: &str) -> Option<(u64, u64)> {
    let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => (first.parse().ok()?, u64::MAX),
        (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
        (None, None) => {
            let only = text.parse().ok()?;
            (only, only)
        }
    };
    (1 <= first && first <= last).then_some((first, last))
}

fn parse_chance(part: &str) -> Result<Chance, String> {
    let mut pairs = part.split(',').map(str::trim);
    let seed = pairs.next().and_then(|seed| seed.strip_prefix("seed="));
    let seed = seed.and_then(|seed| seed.parse().ok());
    let seed = seed.ok_or_else(|| format!("`{part}`: the seed must be a whole number"))?;
    let mut table = Vec::new();
    for pair in pairs {
        let Some((word, rate)) = pair.rsplit_once('=') else {
            return Err(format!("`{part}`: expected `rate=R` or `fault=R`, found `{pair}`"));
        };
        let rate: f64 = match rate.parse() {
            Ok(rate) if (0.0..=1.0).contains(&rate) => rate,
            _ => return Err(format!("`{part}`: `{rate}` is not between 0 and 1")),
        };
        let words: Vec<&str> = match word {
            "rate" => TABLE.split_whitespace().collect(),
            fault => vec![fault],
        };
        for fault in &words {
            let fault = Fault::parse(fault).map_err(|reason| format!("`{part}`: {reason}"))?;
            table.push((fault, rate / words.len() as f64));
        }
    }
    if table.is_empty() {
        return Err(format!("`{part}`: expected `rate=R` or `fault=R` after the seed"));
    }
    // Halves and tenths add up to a little more than they should.
    if table.iter().map(|(_, rate)| rate).sum::<f64>() > 1.0 + 1e-9 {
        return Err(format!("`{part}`: the rates add up to more than 1"));
    }
    Ok(Chance { random: Random::new(seed), table })
}

fn parse_retry_after(argument: &str) -> Vec<String> {
    if argument == "none" {
        return Vec::new();
    }
    argument.split('|').map(|value| value.trim().to_owned()).collect()
}

fn parse_total(argument: Option<&str>) -> Result<Fault, String> {
    match argument {
        Some("missing") => Ok(Fault::Total(WrongTotal::Missing)),
        Some("wrong") => Ok(Fault::Total(WrongTotal::Wrong)),
        Some("negative") => Ok(Fault::Total(WrongTotal::Negative)),
        _ => Err("`total` is `total:missing`, `total:wrong` or `total:negative`".into()),
    }
}

fn parse_quote(argument: Option<&str>) -> Result<Fault, String> {
    let found = Quote::ALL.iter().find(|(word, _)| argument == Some(*word));
    let quote = found.ok_or("`quote` needs a form: plain, upper, percent, escaped, base64, cut")?;
    Ok(Fault::Quote(quote.1))
}

fn number<T: std::str::FromStr>(word: &str, argument: Option<&str>) -> Result<T, String> {
    argument
        .and_then(|argument| argument.parse().ok())
        .ok_or_else(|| format!("`{word}` needs a whole number, as in `{word}:17`"))
}

fn status(word: &str, argument: Option<&str>) -> Result<u16, String> {
    match number(word, argument)? {
        status @ 400..=599 => Ok(status),
        other => Err(format!("`{word}` needs a status from 400 to 599, not {other}")),
    }
}
