//! Server-Sent Events as the HTML standard reads them (9.2, "Server-sent events").
//!
//! Pure: bytes go in, events come out. No sequence of bytes is an error, as in the standard; what is
//! beyond the limit is cut off, because an event is kept until it ends.

use std::time::Duration;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The longest id of an event that is remembered: it is sent back in a header.
const ID_BYTES_MAX: usize = 1024;

/// One Server-Sent Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerEvent {
    /// What kind it is; `message` where nothing is said.
    pub name: String,
    /// What it says, up to the limit.
    pub data: String,
}

/// Where a stream is, for whoever connects again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StreamPosition {
    /// The id of the last event, where events have one.
    pub last_id: String,
    /// How long to wait before connecting again, where the stream says so.
    pub pause: Option<Duration>,
}

/// Whether an answer says that it is a stream of events.
#[must_use]
pub fn is_event_stream(headers: &HeaderMap) -> bool {
    let form = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = form.and_then(|form| form.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("text/event-stream")
}

/// Reads the bytes of one stream.
pub(super) struct EventReader {
    bytes_max: usize,
    place: StreamPosition,
    /// The line that has not ended yet, up to the limit.
    line: Vec<u8>,
    /// A line feed right after a carriage return ends no other line.
    ended_by_return: bool,
    is_first_line: bool,
    name: String,
    data: String,
    id: String,
}

impl EventReader {
    /// Begins a stream of events at a place; of each at most so many bytes are read.
    pub(super) fn new(bytes_max: usize, place: StreamPosition) -> Self {
        Self {
            bytes_max,
            id: place.last_id.clone(),
            place,
            line: Vec::new(),
            ended_by_return: false,
            is_first_line: true,
            name: String::new(),
            data: String::new(),
        }
    }

    pub(super) const fn place(&self) -> &StreamPosition {
        &self.place
    }

    /// Takes some bytes in and returns the events that they end.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<ServerEvent> {
        let mut events = Vec::new();
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.ended_by_return);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.ended_by_return = byte == b'\r';
                    events.extend(self.end_line());
                }
                _ if self.line.len() < self.bytes_max => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<ServerEvent> {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.read_line(&line);
            return None;
        }
        self.is_first_line = false;
        self.dispatch()
    }

    fn read_line(&mut self, line: &[u8]) {
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.is_first_line => rest,
            Some(_) | None => line,
        };
        self.is_first_line = false;
        let line = String::from_utf8_lossy(line);
        // A comment has a field without a name.
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => self.add(value),
            "id" if !value.contains('\0') && value.len() <= ID_BYTES_MAX => {
                value.clone_into(&mut self.id);
            }
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                let pause = value.parse().ok().map(Duration::from_millis);
                self.place.pause = pause.or(self.place.pause);
            }
            _ => {}
        }
    }

    /// Adds a line of data, or as much of it as there is room for.
    fn add(&mut self, value: &str) {
        let room = self.bytes_max.saturating_sub(self.data.len());
        self.data.push_str(&value[..value.floor_char_boundary(room)]);
        if value.len() < room {
            self.data.push('\n');
        }
    }

    /// Ends an event; one without data only moves the place.
    fn dispatch(&mut self) -> Option<ServerEvent> {
        self.place.last_id.clone_from(&self.id);
        let (mut name, mut data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if data.is_empty() {
            return None;
        }
        // The end of its last line is none of its data; one that was cut off has no such end.
        if data.ends_with('\n') {
            data.pop();
        }
        if name.is_empty() {
            name.push_str("message");
        }
        Some(ServerEvent { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 64;

    /// Reads a whole stream: each event as `name=data`, then the last id and the pause.
    fn read_in(stream: &[u8], pieces: usize) -> String {
        let mut reader = EventReader::new(MAX, StreamPosition::default());
        let events: Vec<_> = stream.chunks(pieces).flat_map(|piece| reader.take(piece)).collect();
        let shown = events.iter().map(|event| format!("{}={:?}", event.name, event.data));
        let StreamPosition { last_id, pause } = reader.place();
        let id = (!last_id.is_empty()).then(|| format!("id {last_id:?}"));
        let pause = pause.map(|pause| format!("pause {}", pause.as_millis()));
        shown.chain(id).chain(pause).collect::<Vec<_>>().join(" ")
    }

    /// The rules of the standard, one or more a row.
    const RULES: &[(&str, &[u8], &str)] = &[
        ("an empty line ends an event", b"data: a\n\ndata: b\n\n", r#"message="a" message="b""#),
        (
            "lines end with LF, CR or CRLF",
            b"data:a\r\rdata:b\r\n\r\ndata:c\n\r",
            r#"message="a" message="b" message="c""#,
        ),
        ("a stream may begin with a byte order mark", b"\xef\xbb\xbfdata: a\n\n", r#"message="a""#),
        ("and only begin with one", b"data: a\n\n\xef\xbb\xbfdata: b\n\n", r#"message="a""#),
        ("an empty first line is the first line", b"\n\xef\xbb\xbfdata: a\n\n", ""),
        ("one space after the colon goes", b"data:  a \n\n", r#"message=" a ""#),
        ("a tab does not", b"data:\ta\n\n", r#"message="\ta""#),
        ("lines of data are joined", b"data: a\ndata:\ndata: b\n\n", r#"message="a\n\nb""#),
        (
            "a field without a colon is empty",
            b"data\n\ndata\ndata\n\ndata:",
            r#"message="" message="\n""#,
        ),
        ("only the first colon counts", b"data: a: b\n\n", r#"message="a: b""#),
        ("a line that begins with a colon is a comment", b": a\ndata: b\n:\n\n", r#"message="b""#),
        (
            "other fields are passed over",
            b"date: a\nDATA: b\n data: c\ndata: d\n\n",
            r#"message="d""#,
        ),
        ("an event has a name", b"event: e\ndata: a\n\ndata: b\n\n", r#"e="a" message="b""#),
        ("the last name counts", b"event: e\nevent: f\ndata: a\n\n", r#"f="a""#),
        ("an empty name is none", b"event:\ndata: a\n\n", r#"message="a""#),
        ("without data there is no event", b"event: e\n\ndata: a\n\n", r#"message="a""#),
        ("what has not ended is none", b"data: a\n\ndata: b\n", r#"message="a""#),
        ("an id stays", b"id: 1\ndata: a\n\ndata: b\n\n", r#"message="a" message="b" id "1""#),
        ("an id needs no data", b"id: 1\n\n", r#"id "1""#),
        ("an id counts with its event", b"id: 1\n\nid: 2\n", r#"id "1""#),
        ("an empty id takes it away", b"id: 1\n\nid\n\n", ""),
        ("an id with a NUL is passed over", b"id: 1\n\nid: 2\x003\n\n", r#"id "1""#),
        ("a pause is milliseconds", b"retry: 2500\n", "pause 2500"),
        (
            "and digits alone",
            b"retry: 1\nretry: -2\nretry: 3s\nretry:\nretry: 99999999999999999999\n",
            "pause 1",
        ),
        ("what is no UTF-8 is replaced", b"data: \xff\xc3\xa9\n\n", "message=\"\u{fffd}\u{e9}\""),
    ];

    #[test]
    fn each_rule_of_the_standard_holds_however_the_bytes_come() {
        for (rule, stream, expected) in RULES {
            for pieces in 1..=stream.len() {
                assert_eq!(read_in(stream, pieces), *expected, "{rule}, {pieces} at a time");
            }
        }
    }

    #[test]
    fn the_media_type_is_read_as_one() {
        for (form, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream;charset=utf-8", true),
            ("text/event-stream ; charset=UTF-8", true),
            ("text/event-streams", false),
            ("text/html", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, form.parse().unwrap())]);
            assert_eq!(is_event_stream(&headers), expected, "{form}");
        }
        assert!(!is_event_stream(&HeaderMap::new()));
    }

    #[test]
    fn an_event_beyond_the_limit_is_cut_off_and_the_next_one_is_read() {
        let long = "x".repeat(1000);
        for stream in [
            format!("data: {long}\n\ndata: b\n\n"),
            format!("data: {long}\ndata: {long}\nevent: e\n\ndata: b\n\n"),
            format!("{}\ndata: b\n\n", format!("data: {}\n", "x".repeat(20)).repeat(9)),
        ] {
            for pieces in [1, 7, 5000] {
                let mut reader = EventReader::new(MAX, StreamPosition::default());
                let mut events = Vec::new();
                for piece in stream.as_bytes().chunks(pieces) {
                    events.extend(reader.take(piece));
                    assert!(reader.line.capacity() + reader.data.capacity() <= 4 * MAX);
                }
                assert_eq!(events.len(), 2, "{stream}: {events:?}");
                assert!(events[0].data.starts_with("xxxxx") && events[0].data.len() <= MAX);
                assert_eq!(events[1], ServerEvent { name: "message".into(), data: "b".into() });
            }
        }
    }

    #[test]
    fn a_comment_of_any_length_is_no_event() {
        let mut stream = vec![b':'; 1000];
        stream.extend(b"\ndata: a\n\n");
        assert_eq!(read_in(&stream, 9), r#"message="a""#);
    }

    #[test]
    fn no_bytes_are_too_odd() {
        use proptest::prelude::*;
        proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..300), pieces in 1..50usize)| {
            let whole = read_in(&bytes, bytes.len().max(1));
            prop_assert_eq!(read_in(&bytes, pieces), whole);
        });
    }
}
