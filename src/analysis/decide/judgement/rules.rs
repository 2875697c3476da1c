//! The rules of judgement, as data: the first that applies decides.

use super::{Decision, Judgement, MachineEffect, OutputsStanding, Reason, Speed};

/// What is known of a session, as far as it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether it could be measured at all.
    pub is_measured: bool,
    /// Whether it is better; `None` where it was not compared with the baseline.
    pub speed: Option<Speed>,
    /// Whether the comparison rests on as many launches as an interval takes.
    pub is_covered: bool,
    /// What its outputs are worth.
    pub outputs: OutputsStanding,
    /// What the state of the machine can do to the comparison.
    pub machine: MachineEffect,
}

/// A rule about a session.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it decides.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// When it applies, in words.
    pub when: &'static str,
    applies: fn(Known) -> bool,
}

/// The rules about a session that is not the baseline's, in their order; the last applies always.
pub const RULES: [Rule; 9] = [
    Rule {
        decision: Decision::NoAnswer,
        reason: Reason::NotMeasured,
        when: "it could not be measured",
        applies: |known| !known.is_measured,
    },
    Rule {
        decision: Decision::DoNotShip,
        reason: Reason::OutputsDiffer,
        when: "its outputs are shown not to be good enough, whatever its speed and the machine",
        applies: |known| known.outputs == OutputsStanding::Refused,
    },
    Rule {
        decision: Decision::NoAnswer,
        reason: Reason::MachineUnfit,
        when: "the machine was not fit to measure on",
        applies: |known| known.machine == MachineEffect::Unfit,
    },
    Rule {
        decision: Decision::NoAnswer,
        reason: Reason::FewLaunches,
        when: "fewer than six launches stand behind the comparison with the baseline",
        applies: |known| known.speed.is_none() || !known.is_covered,
    },
    Rule {
        decision: Decision::Undecided,
        reason: Reason::MachineSensitive,
        when: "the machine was suspect, and the session differs from the baseline's in threads, spinning or execution provider",
        applies: |known| known.machine == MachineEffect::Much,
    },
    Rule {
        decision: Decision::Keep,
        reason: Reason::NotBetter,
        when: "it is shown to be worse, the same, or better by no more than the noise floor",
        applies: |known| known.speed == Some(Speed::NotBetter),
    },
    Rule {
        decision: Decision::Undecided,
        reason: Reason::SpeedOpen,
        when: "whether it is better is open",
        applies: |known| known.speed == Some(Speed::Open),
    },
    Rule {
        decision: Decision::Undecided,
        reason: Reason::OutputsOpen,
        when: "it is shown to be better, and whether its outputs are good enough is open",
        applies: |known| known.outputs == OutputsStanding::Open,
    },
    Rule {
        decision: Decision::Ship,
        reason: Reason::Better,
        when: "it is shown to be better, and its outputs to be good enough",
        applies: |_| true,
    },
];

/// The first rule that applies.
pub(super) fn rule(known: Known) -> &'static Rule {
    let last = &RULES[RULES.len() - 1];
    RULES
        .iter()
        .find(|rule| (rule.applies)(known))
        .unwrap_or(last)
}

/// What is known of a run, as far as it is judged.
#[derive(Clone, Copy, Debug)]
pub struct KnownRun<'a> {
    /// Whether the baseline was measured, and its outputs are finite.
    pub is_baseline_usable: bool,
    /// Whether the machine was not fit to measure on.
    pub is_unfit: bool,
    /// Whether the baseline's own figure rests on as many launches as an interval takes.
    pub is_covered: bool,
    /// Judgements on all other sessions.
    pub others: &'a [Judgement],
}

impl KnownRun<'_> {
    fn any(&self, decision: Decision) -> bool {
        self.others.iter().any(|one| one.decision == decision)
    }

    fn any_for(&self, reason: Reason) -> bool {
        self.others.iter().any(|one| one.reason == reason)
    }

    /// Those that could be measured; there is at least one.
    fn all_measured(&self, decision: Decision) -> bool {
        let mut measured = self
            .others
            .iter()
            .filter(|one| one.reason != Reason::NotMeasured)
            .peekable();
        measured.peek().is_some() && measured.all(|one| one.decision == decision)
    }
}

/// A rule about a run.
#[derive(Clone, Copy, Debug)]
pub struct RunRule {
    /// What it decides.
    pub decision: Decision,
    /// Why; absent where that of the session is it that the decision is about.
    pub reason: Option<Reason>,
    /// When it applies, in words.
    pub when: &'static str,
    applies: fn(KnownRun<'_>) -> bool,
}

/// The rules about a run, in their order; the last applies always.
pub const RUN_RULES: [RunRule; 8] = [
    RunRule {
        decision: Decision::NoAnswer,
        reason: Some(Reason::BaselineUnusable),
        when: "the baseline could not be measured, or its outputs are not finite",
        applies: |run| !run.is_baseline_usable,
    },
    RunRule {
        decision: Decision::DoNotShip,
        reason: None,
        when: "every other session that could be measured must not be shipped",
        applies: |run| run.all_measured(Decision::DoNotShip),
    },
    RunRule {
        decision: Decision::NoAnswer,
        reason: Some(Reason::MachineUnfit),
        when: "the machine was not fit to measure on",
        applies: |run| run.is_unfit,
    },
    RunRule {
        decision: Decision::Ship,
        reason: None,
        when: "a session is to be shipped: the best of those",
        applies: |run| run.any(Decision::Ship),
    },
    RunRule {
        decision: Decision::Undecided,
        reason: None,
        when: "a session is undecided: the one that seems best of those",
        applies: |run| run.any(Decision::Undecided),
    },
    RunRule {
        decision: Decision::NoAnswer,
        reason: Some(Reason::FewLaunches),
        when: "fewer than six launches stand behind the baseline, or behind a comparison with it",
        applies: |run| !run.is_covered || run.any_for(Reason::FewLaunches),
    },
    RunRule {
        decision: Decision::Keep,
        reason: Some(Reason::Alone),
        when: "there is no other session, so that nothing is decided between",
        applies: |run| run.others.is_empty(),
    },
    RunRule {
        decision: Decision::Keep,
        reason: Some(Reason::NotBetter),
        when: "otherwise: every other session that could be measured is shown not to be better, or must not be shipped",
        applies: |_| true,
    },
];

/// The first rule that applies.
pub(super) fn run_rule(run: KnownRun<'_>) -> &'static RunRule {
    let last = &RUN_RULES[RUN_RULES.len() - 1];
    RUN_RULES
        .iter()
        .find(|rule| (rule.applies)(run))
        .unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_rules_lists_each_in_order() {
        let page = include_str!("../../README.md");
        let all = RULES
            .iter()
            .map(|rule| rule.when)
            .chain(RUN_RULES.iter().map(|rule| rule.when));
        let mut rest = page;
        for when in all {
            let (_, after) = rest
                .split_once(&format!("| {when} |"))
                .unwrap_or_else(|| panic!("not listed, or not in its place: {when}"));
            rest = after;
        }
    }
}
