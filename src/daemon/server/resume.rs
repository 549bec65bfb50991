//! Where a listener left off, and what it is told of what it missed.
//!
//! Pure. The id of an event is `PROJECT/SEQUENCE@LIFE`: sequences begin again with each life of an
//! agent, so the life (its start in milliseconds) is part of the id. A listener of many projects
//! comes back with one id; of the other projects it is told what happened since, by time, and may
//! hear an event again rather than miss one.

use std::collections::VecDeque;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::projects::Projects;
use crate::model::Name;
use crate::status::Event;

/// How much earlier than the last heard event those of other projects are told again: they are
/// told as they come, and may come in another order than they happened.
const OVERLAP: SignedDuration = SignedDuration::from_secs(5);

/// The last event a listener heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    project: String,
    sequence: u64,
    /// None: the listener does not say; it is taken for this one.
    life: Option<i64>,
}

/// Where a listener begins in the events of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ResumePoint {
    /// What it missed and is told first.
    pub backlog: VecDeque<Event>,
    /// Up to which event it was told.
    pub told: u64,
    /// Whether it missed more than is kept.
    pub lost: Option<Lost>,
}

/// Events that are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// So many.
    Counted(u64),
    /// Those between what it heard and the end of an earlier life, perhaps none.
    OfAnEarlierLife,
}

impl Lost {
    /// Returns how many, where that is known.
    pub(super) const fn count(self) -> Option<u64> {
        match self {
            Self::Counted(count) => Some(count),
            Self::OfAnEarlierLife => None,
        }
    }
}

impl Cursor {
    /// Names an event.
    pub(super) fn of(project: &Name, sequence: u64, life: Timestamp) -> Self {
        let project = project.as_str().to_owned();
        Self { project, sequence, life: Some(life.as_millisecond()) }
    }

    /// Reads an id; what is none of ours is no place to go on from.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (project, rest) = text.rsplit_once('/')?;
        let (sequence, life) = match rest.split_once('@') {
            Some((sequence, life)) => (sequence, Some(life.parse().ok()?)),
            None => (rest, None),
        };
        Some(Self { project: project.to_owned(), sequence: sequence.parse().ok()?, life })
    }

    /// Whether it names an event of a project.
    pub(super) fn is_of(&self, project: &Name) -> bool {
        self.project == project.as_str()
    }

    /// Returns when the event happened, if it is of this life and still kept.
    pub(super) fn time_in(&self, projects: &Projects) -> Option<Timestamp> {
        let (_, kept) = projects.get(&self.project)?;
        if !self.is_of_life(kept.handle.status().started_at) {
            return None;
        }
        let recent = kept.handle.recent_events();
        recent.iter().find(|event| event.sequence == self.sequence).map(|event| event.at)
    }

    fn is_of_life(&self, life: Timestamp) -> bool {
        self.life.is_none_or(|known| known == life.as_millisecond())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { project, sequence, life } = self;
        write!(formatter, "{project}/{sequence}")?;
        life.map_or(Ok(()), |life| write!(formatter, "@{life}"))
    }
}

impl ResumePoint {
    /// Begins with what happens from now on.
    pub(super) fn now(recent: Vec<Event>) -> Self {
        let told = recent.last().map_or(0, |event| event.sequence);
        Self { backlog: VecDeque::new(), told, lost: None }
    }

    /// Goes on after the last heard event of this project.
    pub(super) fn after(cursor: &Cursor, recent: Vec<Event>, life: Timestamp) -> Self {
        let newest = recent.last().map_or(0, |event| event.sequence);
        if !cursor.is_of_life(life) || cursor.sequence > newest {
            let lost = Some(Lost::OfAnEarlierLife);
            return Self { backlog: recent.into(), told: 0, lost };
        }
        Self::following(cursor.sequence, recent.into())
    }

    /// Goes on with what happened since a time; without one, with all that is kept.
    pub(super) fn since(time: Option<Timestamp>, recent: Vec<Event>) -> Self {
        let from = time.and_then(|time| time.checked_sub(OVERLAP).ok());
        let newest = recent.last().map_or(0, |event| event.sequence);
        let mut backlog: VecDeque<Event> = recent.into();
        backlog.retain(|event| from.is_none_or(|from| event.at >= from));
        let told = backlog.front().map_or(newest, |event| event.sequence.saturating_sub(1));
        Self { backlog, told, lost: None }
    }

    /// Goes on after an event of this life, with what is kept of those that came later.
    pub(super) fn following(told: u64, mut recent: VecDeque<Event>) -> Self {
        recent.retain(|event| event.sequence > told);
        let gone = recent.front().map_or(0, |event| event.sequence - told - 1);
        let lost = (gone > 0).then_some(Lost::Counted(gone));
        Self { backlog: recent, told, lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{ConditionReason, EventSeverity};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    /// Event `n` happened in second `n`.
    fn recent(sequences: std::ops::RangeInclusive<u64>) -> Vec<Event> {
        let event = |sequence: u64| Event {
            sequence,
            at: at(i64::try_from(sequence).unwrap()),
            severity: EventSeverity::Normal,
            key: None,
            reason: ConditionReason::Synced.into(),
            message: "everything is as declared".to_owned(),
            revision: None,
            pass: None,
        };
        sequences.map(event).collect()
    }

    fn told(start: &ResumePoint) -> Vec<u64> {
        start.backlog.iter().map(|event| event.sequence).collect()
    }

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_one() {
        let name = Name::new("shop").unwrap();
        let cursor = Cursor::of(&name, 12, at(0));
        assert_eq!(cursor.to_string(), "shop/12@1764000000000");
        assert_eq!(Cursor::parse("shop/12@1764000000000"), Some(cursor));
        assert_eq!(Cursor::parse("shop/12").map(|it| it.to_string()), Some("shop/12".to_owned()));
        for text in ["", "shop", "shop/", "shop/x", "shop/-1", "shop/1@", "shop/1@x", "/@"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }

    #[test]
    fn who_comes_back_is_told_what_it_missed_and_what_is_gone() {
        let cursor = |sequence, life| Cursor { project: "shop".to_owned(), sequence, life };
        let life = at(0);
        let known = Some(life.as_millisecond());
        let start = ResumePoint::after(&cursor(3, known), recent(1..=5), life);
        assert_eq!((told(&start), start.lost), (vec![4, 5], None));
        let start = ResumePoint::after(&cursor(5, None), recent(1..=5), life);
        assert_eq!((told(&start), start.lost, start.told), (vec![], None, 5));
        let start = ResumePoint::after(&cursor(3, known), recent(8..=9), life);
        assert_eq!((told(&start), start.lost), (vec![8, 9], Some(Lost::Counted(4))));
    }

    #[test]
    fn after_a_restart_everything_of_the_new_life_is_told() {
        let life = at(100);
        for (sequence, known) in [(2, Some(at(0).as_millisecond())), (500, None)] {
            let cursor = Cursor { project: "shop".to_owned(), sequence, life: known };
            let start = ResumePoint::after(&cursor, recent(1..=5), life);
            assert_eq!(told(&start), [1, 2, 3, 4, 5]);
            assert_eq!(start.lost, Some(Lost::OfAnEarlierLife));
        }
    }

    #[test]
    fn of_other_projects_nothing_is_missed() {
        assert_eq!(told(&ResumePoint::since(Some(at(13)), recent(1..=10))), [8, 9, 10]);
        assert_eq!(told(&ResumePoint::since(None, recent(1..=3))), [1, 2, 3]);
        assert_eq!(told(&ResumePoint::now(recent(1..=3))), Vec::<u64>::new());
        assert_eq!(ResumePoint::now(recent(1..=3)).told, 3);
    }
}
