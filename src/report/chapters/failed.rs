//! Launches that failed, in the answer: how many of how many, of which session, and why.

use crate::analysis::SessionFindings;
use crate::report::words::{self, Source, number, plain, shortened};
use crate::text::Plain;

/// Reasons that are named; what is left is counted.
const NAMED: usize = 3;
/// Characters that a line keeps of a reason; the record has all of it.
const REASON_LENGTH: usize = 300;

/// A line for each reason why launches failed, which names all sessions that share it, the ones
/// with most failures first.
pub(super) fn lines(source: Source<'_>) -> Vec<String> {
    let mut failed: Vec<&SessionFindings> = source
        .sessions()
        .filter(|session| session.failed_launches_count > 0)
        .collect();
    failed.sort_by_key(|session| std::cmp::Reverse(session.failed_launches_count));
    let groups = words::grouped(failed.into_iter().map(|session| (why(session), session)));
    let (named, others) = groups.split_at(groups.len().min(NAMED));
    named
        .iter()
        .map(|(why, sessions)| line(*why, sessions))
        .chain(rest(others))
        .collect()
}

/// Why launches of a session failed; `None` where that is why it was left out, which is said there.
fn why(session: &SessionFindings) -> Option<&Plain> {
    session
        .launch_failure
        .as_ref()
        .filter(|why| session.outcome.reason() != Some(*why))
}

/// `Failed launches: 2 of 14 of int8: the worker was ended by SIGSEGV while it was to run a block.`
fn line(why: Option<&Plain>, sessions: &[&SessionFindings]) -> String {
    let counts = counts(sessions);
    match why {
        Some(why) => {
            format!(
                "Failed launches: {counts}: {}.",
                shortened(plain(why).trim_end_matches('.'), REASON_LENGTH)
            )
        }
        None => format!("Failed launches: {counts}."),
    }
}

/// `2 of 14 of int8, 1 of 14 of fp16 and 2 of 28 of 2 sessions more`.
fn counts(sessions: &[&SessionFindings]) -> String {
    let (named, others) = sessions.split_at(sessions.len().min(NAMED));
    let others = (!others.is_empty()).then(|| format!("{} more", of_others(others)));
    words::listed(named.iter().copied().map(failures).chain(others))
}

/// `2 of 14 of int8`.
fn failures(session: &SessionFindings) -> String {
    format!(
        "{} of {} of {}",
        number::count(session.failed_launches_count),
        number::count(session.all_launches_count),
        plain(&session.label)
    )
}

fn rest(others: &[(Option<&Plain>, Vec<&SessionFindings>)]) -> Option<String> {
    let sessions: Vec<&SessionFindings> = others
        .iter()
        .flat_map(|(_, sessions)| sessions)
        .copied()
        .collect();
    (!sessions.is_empty()).then(|| {
        format!(
            "Failed launches: {} more, for other reasons.",
            of_others(&sessions)
        )
    })
}

/// `5 of 24 of 4 sessions`.
fn of_others(sessions: &[&SessionFindings]) -> String {
    let count = sessions.len() as u64;
    let sessions = sessions.iter();
    let failed = sessions
        .clone()
        .map(|session| session.failed_launches_count);
    let all = sessions.map(|session| session.all_launches_count);
    format!(
        "{} of {} of {}",
        number::count(failed.sum()),
        number::count(all.sum()),
        words::counted_noun(count, "session")
    )
}
