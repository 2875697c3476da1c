//! The answer of a search, the most important line first.

use super::phrases::{Search, ratio, words_of};
use crate::analysis::gate::GateVerdict;
use crate::analysis::tuning::{
    Candidate, Contender, Criterion, HeldSlo, Preference, State, TuningVerdict,
};
use crate::analysis::{AccuracyChange, Decision, Reason};
use crate::check::Side;
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::{DatasetInfo, EndReason, Fate, RunRecord};
use crate::report::chapters::failed;
use crate::report::words::{self, judged, judgement, number};
use crate::stats::MIN_LAUNCHES;

/// Configurations that a line names before it only counts them.
const NAMED: usize = 4;

fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Throughput => "the most throughput",
        Objective::Latency => "the shortest median latency",
        Objective::Memory => "the least peak memory",
        Objective::Energy => "the least energy per prediction",
    }
}

impl Search<'_> {
    pub(super) fn answer(&self) -> Vec<String> {
        let Some(best) = self.found.best() else {
            return vec!["Nothing was measured.".into()];
        };
        let gain = self.surely_better();
        let judged = judgement::of_search(self.source, &gain);
        let mut lines = vec![judged.unwrap_or_else(|| self.verdict(best))];
        lines.extend(self.gain());
        lines.extend(words::gain_by_cause(self.source));
        let preference = self.found.preference.as_ref();
        lines.extend(preference.and_then(|preference| self.preferred(preference)));
        lines.extend(best.slo.iter().map(slo));
        lines.extend(self.accuracy(best));
        lines.extend(judged::line(self.source));
        lines.extend(failed::lines(self.source));
        lines.extend(self.open());
        lines.extend(self.goes_on());
        lines
    }

    fn verdict(&self, best: &Candidate) -> String {
        let name = self.named(best.key);
        let metric = self.found.metric;
        let figure = words::shown(metric, best.figure(metric));
        match self.found.verdict {
            _ if self.source.judgement().reason == Reason::FewLaunches => self.undecided(),
            TuningVerdict::Found => {
                let kept = if self.found.best == self.found.defaults {
                    "Keep the defaults"
                } else {
                    "Ship"
                };
                format!(
                    "{kept}: {name}, for {}: {figure}.",
                    objective(self.found.objective)
                )
            }
            TuningVerdict::Undecided => self.undecided(),
            TuningVerdict::NotShown => format!(
                "No configuration is shown to keep everything that was asked for. The best candidate is {name}: {figure}."
            ),
            _ => format!(
                "Nothing that was tried keeps everything that was asked for. {name} comes closest."
            ),
        }
    }

    /// `Undecided: ...; a (2 intra-op threads) at batch 1 looks better: ..., and about 40 s more
    /// would decide.`
    fn undecided(&self) -> String {
        let head = self.not_better();
        let Some(contender) = &self.found.contender else {
            return self.untried(&head);
        };
        let looks = self.looks(contender);
        match contender.more_ns.map(words::rounded_time) {
            Some(more) => format!("{head}; {looks}, and about {more} more would decide."),
            None => format!("{head}; {looks}."),
        }
    }

    pub(super) fn defaults(&self) -> Option<&Candidate> {
        self.found.defaults.map(|place| self.candidate(place))
    }

    /// How what was tried stands against the defaults.
    fn not_better(&self) -> String {
        if self.source.judgement().reason == Reason::FewLaunches {
            return format!(
                "No answer: a verdict takes {MIN_LAUNCHES} launches of each configuration"
            );
        }
        let defaults = self.defaults();
        let named = defaults
            .map(|one| format!(" ({})", self.named(one.key)))
            .unwrap_or_default();
        if defaults.is_some_and(|one| one.state == State::Out) {
            format!("Undecided: the defaults{named} are beaten, and by how much is not shown")
        } else {
            format!(
                "Undecided: nothing that was tried is shown to be better than the defaults{named}"
            )
        }
    }

    /// `int8 at batch 1 looks better: median latency 1.25x faster (1.09 to 1.43)`, as far as its ratio is
    /// known.
    fn looks(&self, contender: &Contender) -> String {
        let name = self.named(self.candidate(contender.place).key);
        let cost = contender.cost_ratio.as_ref();
        let Some(cost) = cost.and_then(|cost| cost.measured()) else {
            return format!("{name} may be");
        };
        let shown = format!("{} {}", self.subject(), self.measured_ratio(cost));
        if is_beyond_floor(self.found.metric, cost.value) {
            let chosen = if contender.is_chosen_by_it {
                " in the rounds that chose it"
            } else {
                ""
            };
            format!("{name} looks better: {shown}{chosen}")
        } else if cost.value < 1.0 {
            format!(
                "{name} may be: {shown}, within the noise floor of {}",
                self.floor()
            )
        } else {
            format!("{name} may be")
        }
    }

    /// Sentence on the configurations tried beside the defaults; where something else was asked for
    /// too, one that is better may not keep that.
    fn untried(&self, head: &str) -> String {
        if self.found.best != self.found.defaults {
            return format!("{head}.");
        }
        if self.source.judgement().decision == Decision::NoAnswer {
            return format!("{head}.");
        }
        let others = self.others();
        let tried = match others.len() as u64 {
            0 => return format!("{head}; there was no time to try anything else."),
            1 => "the only configuration that was tried beside the defaults is not".to_owned(),
            count => format!(
                "none of the {} configurations that were tried beside the defaults is",
                number::count(count)
            ),
        };
        let all = planned(self.record)
            .map(number::count)
            .map(|all| format!("; variants, threads and batch sizes alone make {all}"))
            .unwrap_or_default();
        let floor = self.floor();
        match besides(self.record, &others) {
            Some(kept) => {
                format!("Undecided: {tried} both better by more than {floor} and {kept}{all}.")
            }
            None => format!("Undecided: {tried} better by more than {floor}{all}."),
        }
    }

    /// Candidates beside the defaults that were measured.
    fn others(&self) -> Vec<&Candidate> {
        let defaults = self.defaults().map(|one| one.key);
        self.found
            .candidates
            .iter()
            .filter(|one| Some(one.key) != defaults && one.is_measured())
            .collect()
    }

    /// `throughput +80.1% (+70.2% to +90.3%)`, where the interval of the gain says so; else empty.
    fn surely_better(&self) -> String {
        let gain = self.found.gain.as_ref().and_then(|gain| gain.measured());
        gain.filter(|gain| gain.interval.is_some_and(|ends| ends.high < 1.0))
            .map(|gain| format!("{} {}", self.subject(), self.measured_ratio(gain)))
            .unwrap_or_default()
    }

    fn gain(&self) -> Option<String> {
        if self.found.best == self.found.defaults {
            let floor = self.floor();
            return (self.found.verdict == TuningVerdict::Found).then(|| {
                format!(
                    "Everything that was tried is shown not to be better than the defaults by more than the noise floor of {floor}."
                )
            });
        }
        let measured = self.found.gain.as_ref()?.measured()?;
        let remark = measured.remark.as_ref().map(|remark| format!("; {remark}"));
        Some(format!(
            "{} over the defaults: {}, from {} {}{}.",
            words::capital(self.subject()),
            self.measured_ratio(measured),
            words::counted(measured),
            self.turns(),
            remark.unwrap_or_default()
        ))
    }

    /// How the blocks behind the gain were taken.
    pub(super) fn turns(&self) -> &'static str {
        let relative = self
            .defaults()
            .and_then(|defaults| defaults.relative.as_ref());
        if relative.is_none_or(|relative| relative.is_direct) {
            "that took turns"
        } else {
            "in each step by way of others, with which both took turns"
        }
    }

    fn preferred(&self, preference: &Preference) -> Option<String> {
        let cost = preference.cost_ratio.measured()?;
        Some(format!(
            "Taken for {}{} against {}, which does as well: {} {} is within the noise floor of {}.",
            words_of(preference.criterion),
            criterion_ratio(preference).unwrap_or_default(),
            self.named(preference.over),
            self.subject(),
            self.measured_ratio(cost),
            self.floor(),
        ))
    }

    fn accuracy(&self, best: &Candidate) -> Option<String> {
        self.record.plan.tuning.as_ref()?;
        if let Some(change) = &best.accuracy_change {
            return self.score_change(change);
        }
        if is_scored(best) || self.found.best == self.found.defaults || self.computes_as_defaults()
        {
            return None;
        }
        let dataset = self.record.dataset.as_ref();
        let why = if dataset.is_some_and(DatasetInfo::has_labels) {
            ", although there are labels."
        } else {
            ": no labels came with what was fed."
        };
        Some(format!("What its outputs are worth was not measured{why}"))
    }

    /// The change of the leading score, and whether its interval keeps within the fall that is
    /// allowed.
    fn score_change(&self, change: &AccuracyChange) -> Option<String> {
        let interval = change.difference.interval();
        let allowed = self.record.plan.tuning.as_ref()?.max_accuracy_drop_ratio;
        let limit =
            allowed.map(|drop| format!("; a fall of {:.1} points is allowed", drop.0 * 100.0));
        let mut bounds = allowed.into_iter().zip(interval);
        let mind = if bounds.any(|(drop, interval)| interval.low < -drop.0) {
            ", which the interval does not rule out: score more samples to be sure"
        } else {
            ""
        };
        Some(format!(
            "{} against {}: {}{}{mind}.",
            words::capital(change.metric.label()),
            self.baseline_name(),
            difference(change)?,
            limit.unwrap_or_default()
        ))
    }

    /// Whether the best configuration computes the same numbers as the defaults, only at another
    /// time or place.
    pub(super) fn computes_as_defaults(&self) -> bool {
        let sessions = &self.record.plan.sessions;
        self.found
            .best()
            .zip(self.defaults())
            .is_some_and(|(best, defaults)| {
                sessions[best.key.session].computes_alike(&sessions[defaults.key.session])
            })
    }

    fn open(&self) -> Vec<String> {
        let as_good = format!("As good, within the noise floor of {}", self.floor());
        let open = [
            (as_good.as_str(), self.unexplained(State::AsGood, |_| true)),
            (
                "Neither shown to be better nor worse than it",
                self.unexplained(State::Undecided, |one| self.took_turns(one)),
            ),
            (
                "Not compared directly with it",
                self.unexplained(State::Undecided, |one| !self.took_turns(one)),
            ),
        ];
        open.into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what}: {}.", some(names)))
            .collect()
    }

    /// Whether a configuration took turns with the best one.
    fn took_turns(&self, one: &Candidate) -> bool {
        let best = self.found.best().map(|best| best.key);
        let mut heats = self.record.tuning.iter().flat_map(|tuning| &tuning.heats);
        heats.any(|heat| {
            !heat.rounds.is_empty()
                && heat.cells.contains(&one.key)
                && best.is_some_and(|best| heat.cells.contains(&best))
        })
    }

    /// Configurations of a state, without the one that the preference tells of.
    fn unexplained(&self, state: State, is_meant: impl Fn(&Candidate) -> bool) -> Vec<String> {
        let explained = self
            .found
            .preference
            .as_ref()
            .map(|preference| preference.over);
        self.found
            .of_state(state)
            .filter(|one| Some(one.key) != explained && is_meant(one))
            .map(|one| self.named(one.key))
            .collect()
    }

    fn goes_on(&self) -> Option<String> {
        let more = match self.record.run.ended_by {
            Some(EndReason::SearchDone | EndReason::NothingLeft) => return None,
            Some(EndReason::BudgetSpent) => {
                let budget = self
                    .found
                    .contender
                    .as_ref()
                    .and_then(|contender| contender.more_ns)
                    .map_or_else(|| "5m".into(), words::budget);
                format!(" --budget {budget}")
            }
            _ => String::new(),
        };
        Some(format!(
            "There was more to try: `onnxprof tune --resume RUN{more}` goes on from here."
        ))
    }
}

/// Demand on a configuration beside being better, where one may be out for the want of it however
/// fast it is.
fn besides(record: &RunRecord, others: &[&Candidate]) -> Option<&'static str> {
    let tuning = record.plan.tuning.as_ref();
    if tuning
        .is_some_and(|tuning| !tuning.slo.is_empty() || tuning.max_accuracy_drop_ratio.is_some())
    {
        return Some("within what was asked for");
    }
    others
        .iter()
        .map(|one| &one.fate)
        .any(|fate| matches!(fate, Some(Fate::NotFinite)))
        .then_some("free of values that are not numbers")
}

/// Configurations that the search begins with: every session at every number of threads and every
/// batch size.
fn planned(record: &RunRecord) -> Option<u64> {
    let tuning = record.plan.tuning.as_ref()?;
    let threads = tuning.space.intra_threads.len() as u64;
    let sessions: u64 = record
        .plan
        .sessions
        .iter()
        .take(tuning.base_sessions_count)
        .map(|spec| if spec.is_accelerated() { 1 } else { threads })
        .sum();
    Some(sessions * tuning.space.batch_sizes.len() as u64)
}

/// Whether a cost over another is lower by more than the noise floor.
fn is_beyond_floor(metric: Metric, cost: f64) -> bool {
    cost * (1.0 + metric.noise_floor().unwrap_or_default().0) < 1.0
}

/// `, -4.8% (-6.0% to -3.5%)`: by how much the preferred one is ahead.
fn criterion_ratio(preference: &Preference) -> Option<String> {
    let measured = preference.criterion_ratio.as_ref()?.measured()?;
    let objective = objective_of(preference.criterion);
    Some(format!(
        ", {}",
        ratio(objective, measured.value, measured.interval)
    ))
}

fn objective_of(criterion: Criterion) -> Objective {
    match criterion {
        Criterion::Throughput => Objective::Throughput,
        Criterion::Memory => Objective::Memory,
        Criterion::Latency | Criterion::Changes => Objective::Latency,
    }
}

/// `latency_p99<=20ms: 12 ms (11 to 14): kept.`
fn slo(standing: &HeldSlo) -> String {
    format!(
        "{}: {}: {}.",
        words::plain(&standing.check.to_string()),
        words::full(standing.metric, &standing.figure),
        kept_or_not(standing.verdict, beyond(standing))
    )
}

/// By how much it is broken, as far as it is.
fn beyond(standing: &HeldSlo) -> Option<String> {
    let excess = standing.excess_ratio.filter(|excess| *excess > 0.0)?;
    Some(excess_in_words(standing.check.side, excess))
}

fn kept_or_not(verdict: GateVerdict, beyond: Option<String>) -> String {
    let word = match verdict {
        GateVerdict::Pass => return "kept".into(),
        GateVerdict::Fail => "broken",
        GateVerdict::Inconclusive => "not shown",
    };
    match beyond {
        Some(beyond) => format!("{word}: {beyond}"),
        None if verdict == GateVerdict::Fail => word.into(),
        None => "not shown: the interval reaches too close, or there are too few inferences".into(),
    }
}

/// `7.5% above it`, or `3.2x as much as it`.
fn excess_in_words(side: Side, excess: f64) -> String {
    match side {
        Side::AtMost if excess < 1.0 => format!("{:.1}% above it", excess * 100.0),
        Side::AtMost => format!("{}x as much", number::factor(1.0 + excess, None)),
        Side::AtLeast => format!("{:.1}% of it", 100.0 / (1.0 + excess)),
    }
}

/// `-0.3 points (-0.8 points to +0.2 points)`.
pub(super) fn difference(change: &AccuracyChange) -> Option<String> {
    let fall = words::score_difference(change.metric, change.difference.value()?);
    let Some(interval) = change.difference.interval() else {
        return Some(fall);
    };
    let [low, high] =
        [interval.low, interval.high].map(|end| words::score_difference(change.metric, end));
    Some(format!("{fall} ({low} to {high})"))
}

fn is_scored(one: &Candidate) -> bool {
    Metric::SCORES
        .iter()
        .filter_map(|&metric| one.figure(metric))
        .any(|score| score.measured().is_some())
}

fn some(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    words::listed(names)
}
