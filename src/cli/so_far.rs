//! The answer while a run goes on, and what of it the end has changed.

use crate::analysis::{self, RunJudgement, Speed};
use crate::record::RunRecord;
use crate::report::view;
use crate::units::Nanos;

/// The answer after some rounds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SoFar {
    /// In words.
    pub sentence: String,
    /// What was known of each session that was compared, by its index.
    speeds: Vec<Compared>,
}

/// A session against the baseline.
#[derive(Clone, Debug, PartialEq)]
struct Compared {
    session: usize,
    name: String,
    speed: Speed,
}

impl SoFar {
    /// Of a run under way, by what is known of it.
    pub(super) fn of(record: &RunRecord, rounds: u64, elapsed: Nanos) -> Self {
        let findings = analysis::findings(record);
        SoFar {
            sentence: view::so_far(record, &findings, rounds, elapsed),
            speeds: speeds(record, &findings.decisions.judgement),
        }
    }

    /// What the end says otherwise: what was shown to be better and is not, or the other way round.
    /// What was open and is shown now is no change.
    pub(super) fn changed(&self, record: &RunRecord, judgement: &RunJudgement) -> Option<String> {
        self.against(&speeds(record, judgement))
    }

    fn against(&self, ended: &[Compared]) -> Option<String> {
        let changed: Vec<String> = self
            .speeds
            .iter()
            .filter(|then| then.speed != Speed::Open)
            .filter_map(|then| {
                let now = ended.iter().find(|now| now.session == then.session)?;
                (now.speed != then.speed).then(|| {
                    format!(
                        "{} was {} then and is {} now",
                        then.name,
                        word(then.speed),
                        word(now.speed)
                    )
                })
            })
            .collect();
        (!changed.is_empty()).then(|| {
            format!(
                "the answer so far has changed with more rounds: {}",
                changed.join("; ")
            )
        })
    }
}

fn word(speed: Speed) -> &'static str {
    match speed {
        Speed::Better => "shown to be better than the baseline",
        Speed::NotBetter => "shown not to be better than the baseline",
        Speed::Open => "open",
    }
}

fn speeds(record: &RunRecord, judgement: &RunJudgement) -> Vec<Compared> {
    let others = judgement.others.iter();
    others
        .filter_map(|one| {
            Some(Compared {
                session: one.session,
                name: record.session_label(one.session),
                speed: one.advantage.as_ref()?.speed,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn so_far(speed: Speed) -> SoFar {
        SoFar {
            sentence: String::new(),
            speeds: vec![Compared {
                session: 1,
                name: "int8".into(),
                speed,
            }],
        }
    }

    #[test]
    fn what_was_open_and_is_shown_is_no_change() {
        for (then, now, says) in [
            (Speed::Better, Speed::Better, None),
            (Speed::Open, Speed::Better, None),
            (
                Speed::Better,
                Speed::NotBetter,
                Some(
                    "int8 was shown to be better than the baseline then and is shown not to be better than the baseline now",
                ),
            ),
            (
                Speed::Better,
                Speed::Open,
                Some("int8 was shown to be better than the baseline then and is open now"),
            ),
        ] {
            let changed = so_far(then).against(&so_far(now).speeds);
            assert_eq!(
                changed
                    .as_deref()
                    .map(|text| text.contains(says.unwrap_or("never"))),
                says.map(|_| true),
                "{changed:?}"
            );
        }
    }
}
