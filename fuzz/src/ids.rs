//! Any text as an id of the platform: it stays one segment of the URL it is put in.

use stoker::model::{Kind, RemoteId};

use super::scripted::{Script, quietly, split};

/// Asks for objects by these ids, parted by a line break, and looks at the URLs.
pub fn ids(input: &[u8]) {
    let (first, second) = split(input, b"\n");
    let id = |text| std::str::from_utf8(text).ok().and_then(|text| RemoteId::new(text).ok());
    let Some(first) = id(first) else {
        return;
    };
    assert_eq!(RemoteId::new(first.as_str()).as_ref(), Ok(&first));
    let second = id(second).unwrap_or_else(|| first.clone());
    quietly(async {
        let script = Script::of([]);
        let reader = script.client().reader();
        let outcome = reader.get(Kind::Database, &first).await;
        assert!(outcome.is_err(), "nobody answered: {outcome:?}");
        let tries = script.sent().len();
        let outcome = reader.deployment(&first, &second).await;
        assert!(outcome.is_err(), "nobody answered: {outcome:?}");
        for (index, sent) in script.sent().iter().enumerate() {
            let place = (sent.uri.scheme_str(), sent.uri.authority().map(|it| it.as_str()));
            assert_eq!(place, (Some("https"), Some("api.example.com")));
            assert_eq!(sent.uri.query(), None, "{}", sent.uri);
            let segments: Vec<String> = sent.uri.path().split('/').skip(1).map(decoded).collect();
            let (first, second) = (first.as_str(), second.as_str());
            if index < tries {
                assert_eq!(segments, ["v1", "databases", first]);
            } else {
                assert_eq!(segments, ["v1", "services", first, "deployments", second]);
            }
        }
    });
}

/// Reads percent-encoding, as the other side does.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = std::str::from_utf8(&after[..2]).expect("two digits follow");
        bytes.push(u8::from_str_radix(digits, 16).expect("they are hexadecimal"));
        rest = &after[2..];
    }
    String::from_utf8(bytes).expect("an id is text")
}
