//! The answer of a search as a task: what to run instead of the defaults, what it gains and costs.

use super::answer::difference;
use super::phrases::Search;
use crate::analysis::tuning::{Candidate, TuningVerdict};
use crate::analysis::{AccuracyVerdict, Decision, Level, ratio_of_cells};
use crate::metric::{Direction, Metric};
use crate::plan::{Objective, SessionSpec};
use crate::report::chapters::advice::{AdviceView, level};
use crate::report::chapters::bottlenecks::own_command;
use crate::report::words::number::Ways;
use crate::report::words::{self, Source, not_measured, number, plain};

/// What a search found to be better than the defaults.
pub(in crate::report) struct Task {
    pub(in crate::report) view: AdviceView,
    pub(in crate::report) effort: Level,
    /// The gain as a factor, at the unfavourable end of its interval; `None` without one.
    pub(in crate::report) sure_gain: Option<f64>,
    /// What is changed.
    pub(in crate::report) description: String,
    /// What has to be there first.
    pub(in crate::report) needs: String,
    pub(in crate::report) undo: String,
    /// Change of the median latency and of the throughput, as far as they are known.
    pub(in crate::report) latency: Option<String>,
    pub(in crate::report) throughput: Option<String>,
}

/// `None` where the run is no search, or what it found is not to be shipped instead of the defaults.
pub(in crate::report) fn task(source: Source<'_>) -> Option<Task> {
    let found = source.findings.tuning.as_ref()?;
    let search = source.about(found);
    let is_better = found.verdict == TuningVerdict::Found
        && found.best != found.defaults
        && source.judgement().decision == Decision::Ship;
    let (best, defaults) = found.best().zip(search.defaults()).filter(|_| is_better)?;
    let step = Step {
        search: &search,
        best,
        defaults,
    };
    Some(step.task())
}

struct Step<'a> {
    search: &'a Search<'a>,
    best: &'a Candidate,
    defaults: &'a Candidate,
}

impl Step<'_> {
    fn task(&self) -> Task {
        let effort = self.effort();
        let (best, defaults) = (
            self.search.named(self.best.key),
            self.search.named(self.defaults.key),
        );
        Task {
            view: AdviceView {
                area: format!("Run {best} instead of {defaults}"),
                gain: self.gain(),
                evidence: self.evidence(),
                accuracy: self.accuracy(),
                memory: self.memory(),
                effort: format!("{} ({})", level(effort), self.why_effort()),
                risk: self.risk(),
                command: own_command(&self.search.record.run),
            },
            effort,
            sure_gain: self.sure_gain(),
            description: self.description(),
            needs: self.needs(),
            undo: format!("run {defaults} again"),
            latency: self.change(Metric::LatencyP50, Objective::Latency),
            throughput: self.change(Metric::Throughput, Objective::Throughput),
        }
    }

    fn specs(&self) -> [&SessionSpec; 2] {
        [self.best, self.defaults].map(|one| &self.search.record.plan.sessions[one.key.session])
    }

    fn is_batched(&self) -> bool {
        self.best.key.batch_size != self.defaults.key.batch_size
    }

    fn is_set_up_otherwise(&self) -> bool {
        let [best, defaults] = self.specs();
        best.runtime != defaults.runtime || best.execution_provider != defaults.execution_provider
    }

    fn effort(&self) -> Level {
        match self.is_batched() || self.is_set_up_otherwise() {
            true => Level::Medium,
            false => Level::Low,
        }
    }

    fn why_effort(&self) -> String {
        let [best, defaults] = self.specs();
        let parts = [
            (
                best.variant != defaults.variant,
                "one model file is replaced",
            ),
            (
                self.is_set_up_otherwise(),
                "another library or execution provider is deployed",
            ),
            (best.options != defaults.options, "session options are set"),
            (
                self.is_batched(),
                "requests have to be collected into batches",
            ),
        ];
        words::listed(parts.iter().filter(|(is_so, _)| *is_so).map(|(_, why)| why))
    }

    fn evidence(&self) -> String {
        let split = words::gain_by_cause(self.search.source).map(|split| format!(". {split}"));
        format!(
            "blocks {}{}",
            self.search.turns(),
            split.unwrap_or_default()
        )
    }

    fn gain(&self) -> String {
        let gain = self
            .search
            .found
            .gain
            .as_ref()
            .and_then(|gain| gain.measured());
        match gain {
            Some(cost) => format!(
                "{} {}, n = {}",
                self.search.subject(),
                self.search.measured_ratio(cost),
                words::counted(cost)
            ),
            None => not_measured("no way of blocks that took turns leads to the defaults"),
        }
    }

    fn sure_gain(&self) -> Option<f64> {
        let cost = self.search.found.gain.as_ref()?.interval()?;
        Some(1.0 / cost.high)
    }

    fn description(&self) -> String {
        let [best, defaults] = self.specs();
        let file = plain(
            &self.search.record.plan.variants[best.variant]
                .path
                .display()
                .to_string(),
        );
        let file = match best.variant == defaults.variant {
            true => format!("keep {file}"),
            false => format!("deploy {file}"),
        };
        format!("{file}, and run it as {}", self.search.named(self.best.key))
    }

    fn needs(&self) -> String {
        let [best, _] = self.specs();
        let queue = self.is_batched().then(|| {
            format!(
                "a queue that collects {} requests",
                self.best.key.batch_size
            )
        });
        let library = self.search.record.runtime_of(self.best.key.session);
        let library = library.map(|runtime| {
            format!(
                "ONNX Runtime {} with {}",
                runtime.version,
                plain(&best.execution_provider)
            )
        });
        words::joined(library.into_iter().chain(queue), "; ")
    }

    fn accuracy(&self) -> String {
        let change = self.best.accuracy_change.as_ref();
        match change
            .and_then(|change| Some(format!("{} {}", change.metric.label(), difference(change)?)))
        {
            Some(change) => change,
            None if self.search.computes_as_defaults() => "none: it computes the same".into(),
            None => not_measured("its outputs were not scored"),
        }
    }

    /// By the rules of advice.
    fn risk(&self) -> String {
        let (of_outputs, why) = self.risk_of_outputs();
        let waits = self.best.key.batch_size > self.defaults.key.batch_size;
        let waiting = waits.then(|| "each request waits for its batch".to_owned());
        let risk = match waits {
            true => of_outputs.max(Level::Medium),
            false => of_outputs,
        };
        let reasons = words::joined([why].into_iter().chain(waiting), "; ");
        format!("{} ({reasons})", level(risk))
    }

    fn risk_of_outputs(&self) -> (Level, String) {
        let Some(change) = &self.best.accuracy_change else {
            return match self.search.computes_as_defaults() {
                true => (Level::Low, "it computes the same".into()),
                false => (Level::High, "its outputs were not scored".into()),
            };
        };
        let fell = change
            .difference
            .value()
            .is_some_and(|by| match change.metric.direction() {
                Direction::Lower => by > 0.0,
                Direction::Higher | Direction::Neutral => by < 0.0,
            });
        let risk = match (change.verdict, fell) {
            (AccuracyVerdict::Worse, _) => Level::High,
            (AccuracyVerdict::Untested, _) | (AccuracyVerdict::NotSignificant, true) => {
                Level::Medium
            }
            (AccuracyVerdict::Better, _) | (AccuracyVerdict::NotSignificant, false) => Level::Low,
        };
        (risk, words::accuracy_change(change))
    }

    fn memory(&self) -> String {
        match self
            .best
            .figure(Metric::PeakMemory)
            .and_then(|one| one.value())
            .zip(
                self.defaults
                    .figure(Metric::PeakMemory)
                    .and_then(|one| one.value()),
            ) {
            Some((best, defaults)) => {
                format!(
                    "{} peak memory of the process",
                    number::change(best / defaults)
                )
            }
            None => not_measured("peak memory is not known for both"),
        }
    }

    /// By blocks that took turns for the objective, else between the cells of both.
    fn change(&self, metric: Metric, objective: Objective) -> Option<String> {
        if self.search.found.objective == objective {
            return Some(self.gain());
        }
        let [defaults, best] = [self.defaults, self.best].map(|one| self.search.cell(one.key));
        let ratio = ratio_of_cells(metric, defaults?, best?)?;
        Some(format!(
            "{} {}, between cells that took no turns",
            metric.label(),
            number::relative(ratio.value, ratio.interval, Ways::of(metric.unit()))
        ))
    }
}
