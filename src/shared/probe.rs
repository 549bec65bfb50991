//! Whether a store keeps its word: some that speak the same language ignore conditions, or decide
//! them one after the other only when nobody else asks at the same moment.

use std::time::Duration;

use futures_util::future::join_all;

use super::medium::{MediumError, Put, Register, SharedMedium, SharedSeat, Sitting, Swap, Version};

/// How many write at once.
const WRITERS: u64 = 4;

/// How often.
const ROUNDS: u64 = 3;

/// How long the seat of the probe is needed, with room.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// Tries a store out beneath a name that nobody else uses, and returns what it did wrong, one each;
/// nothing where it keeps its word. `token` is unlike any other.
///
/// # Errors
/// When the store cannot be reached, refuses for another reason, or leaves an answer unknown, which
/// proves nothing: then probe again, beneath another name.
pub async fn probe(
    medium: &dyn SharedMedium,
    unused: &str,
    token: &str,
) -> Result<Vec<String>, MediumError> {
    let seat = match medium.sit(unused, token, "the probe", TIME_TO_LIVE).await {
        Sitting::Ours(seat) => seat,
        Sitting::Held(by) => return Err(MediumError(format!("{by} holds an unused seat"))),
        Sitting::Refused(reason) | Sitting::Unknown(reason) => return Err(MediumError(reason)),
    };
    let mut flaws = Vec::new();
    flaws.extend(puts(medium, unused, &seat).await?);
    flaws.extend(gap(medium, unused, &seat).await?);
    flaws.extend(swaps(medium, unused).await?);
    medium.leave(unused, &seat).await;
    flaws.extend(unseated(medium, unused, &seat).await?);
    Ok(flaws)
}

/// Puts a record after the seat was given back.
async fn unseated(
    medium: &dyn SharedMedium,
    log: &str,
    seat: &SharedSeat,
) -> Result<Option<String>, MediumError> {
    match medium.put(log, ROUNDS + 1, b"probe", seat).await {
        Put::Unseated => Ok(None),
        Put::Refused(reason) | Put::Unknown(reason) => Err(MediumError(reason)),
        Put::Done | Put::Taken(_) | Put::Gone => {
            Ok(Some("a record was put without the seat".to_owned()))
        }
    }
}

/// Lets several put one record at once: one of them is told that it is done, and the others find
/// that one's.
async fn puts(
    medium: &dyn SharedMedium,
    log: &str,
    seat: &SharedSeat,
) -> Result<Option<String>, MediumError> {
    for number in 1..=ROUNDS {
        let texts: Vec<String> = (0..WRITERS).map(|it| format!("probe {number} {it}")).collect();
        let puts = texts.iter().map(|text| medium.put(log, number, text.as_bytes(), seat));
        let answers = join_all(puts).await;
        let mut winners = Vec::new();
        for (text, answer) in texts.iter().zip(&answers) {
            match answer {
                Put::Done => winners.push(text.as_bytes()),
                Put::Taken(_) => {}
                Put::Refused(reason) | Put::Unknown(reason) => {
                    return Err(MediumError(reason.clone()));
                }
                Put::Gone | Put::Unseated => {
                    return Ok(Some("a record could not be put where one was before".to_owned()));
                }
            }
        }
        let [winner] = winners[..] else {
            let won = winners.len();
            return Ok(Some(format!(
                "of {WRITERS} that put one record at once {won} were told yes"
            )));
        };
        let is_other = |answer: &Put| matches!(answer, Put::Taken(found) if found != winner);
        let page = medium.after(log, number - 1).await?;
        let is_there = page.iter().any(|(it, bytes)| *it == number && bytes == winner);
        if !is_there || answers.iter().any(is_other) {
            return Ok(Some("a record is not the one that was put first".to_owned()));
        }
    }
    Ok(None)
}

/// Puts a record after one that is not there.
async fn gap(
    medium: &dyn SharedMedium,
    log: &str,
    seat: &SharedSeat,
) -> Result<Option<String>, MediumError> {
    match medium.put(log, ROUNDS + 2, b"probe", seat).await {
        Put::Gone => Ok(None),
        Put::Refused(reason) | Put::Unknown(reason) => Err(MediumError(reason)),
        Put::Done | Put::Taken(_) | Put::Unseated => {
            Ok(Some("a record was put although the one before it is missing".to_owned()))
        }
    }
}

/// Lets several change one register at once.
async fn swaps(medium: &dyn SharedMedium, name: &str) -> Result<Option<String>, MediumError> {
    let Register { mut version, .. } = medium.register(name).await?;
    for round in 0..ROUNDS {
        let texts: Vec<String> = (0..WRITERS).map(|it| format!("probe {round} {it}")).collect();
        let swaps = texts.iter().map(|text| medium.swap(name, version, text.as_bytes()));
        let mut winners: Vec<(&str, Version)> = Vec::new();
        for (text, answer) in texts.iter().zip(join_all(swaps).await) {
            match answer {
                Swap::Done(version) => winners.push((text, version)),
                Swap::Moved(_) => {}
                Swap::Refused(reason) | Swap::Unknown(reason) => return Err(MediumError(reason)),
            }
        }
        let [(text, next)] = winners[..] else {
            let won = winners.len();
            let flaw =
                format!("of {WRITERS} that changed one register at once {won} were told yes");
            return Ok(Some(flaw));
        };
        let now = medium.register(name).await?;
        if now.bytes != text.as_bytes() || now.version != next {
            return Ok(Some("a register does not hold what was put into it".to_owned()));
        }
        version = next;
    }
    Ok(None)
}
