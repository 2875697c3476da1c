//! A plan as the words that ask for it.
//!
//! What is the default of the command line is left out; the command line turns the words into the same plan again. Read
//! [`Command`] first.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{distinct, list, percent, time};
use super::{
    Binding, ExecutionMode, Flag, GraphOptimization, LoadMode, Objective, PageCache, Pin, Plan,
    Schedule, ScoredSamples, SessionOptions, SessionSpec, Space, SweepEnd, Task, TuningPlan,
    ValueRange,
};
use crate::provider;
use crate::units::Nanos;

/// Words of a command that measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    subcommand: &'static str,
    models: Vec<String>,
    options: Vec<Choice>,
    /// Models that come last.
    others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    flag: Flag,
    value: Option<String>,
}

impl Choice {
    /// As one word where the value could be taken for something else.
    fn words(&self) -> Vec<String> {
        let flag = self.flag.to_string();
        match &self.value {
            None => vec![flag],
            Some(value) if self.flag == Flag::IdleGaps || value.starts_with('-') => {
                vec![format!("{flag}={value}")]
            }
            Some(value) => vec![flag, value.clone()],
        }
    }
}

impl Command {
    /// The command that asks for a plan: `profile`, or `tune` for that of a search.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        if plan.tuning.is_some() {
            Command::tune(plan)
        } else {
            Command::profile(plan)
        }
    }

    fn profile(plan: &Plan) -> Self {
        let mut command = Command::begin("profile", plan);
        if plan.sweep_end == SweepEnd::Listed {
            command.option(Flag::Batch, list(&plan.batch_sizes));
        }
        command.sessions(&plan.sessions);
        if let Some(last) = plan.sessions.last() {
            command.session_options(&last.options);
            command.custom_ops(&last.options);
        }
        command.sweep(plan);
        command.idle_gaps(&plan.idle_gaps_ns);
        command.options(Flag::LatencyLimit, plan.latency_limit_ns.map(time));
        command.load(&plan.load_modes);
        command.scoring(plan);
        command.schedule(&plan.schedule);
        command
    }

    /// A search over the models of a plan, with its libraries and execution providers; of the plan of a search, that search.
    #[must_use]
    pub fn tune(plan: &Plan) -> Self {
        let mut command = Command::begin("tune", plan);
        let bases = plan
            .tuning
            .as_ref()
            .map_or(plan.sessions.len(), |tuning| tuning.base_sessions_count);
        let bases = plan.sessions.get(..bases).unwrap_or_default();
        command.sessions(bases);
        if let Some(last) = bases.last() {
            command.custom_ops(&last.options);
        }
        command.scoring(plan);
        if let Some(tuning) = &plan.tuning {
            command.goal(tuning);
            command.space(&tuning.space, plan.sweep_end);
            command.schedule(&plan.schedule);
        }
        command
    }

    fn begin(subcommand: &'static str, plan: &Plan) -> Self {
        let models = plan
            .variants
            .iter()
            .map(|variant| variant.path.display().to_string());
        let (others, models) = models.partition(|model: &String| model.starts_with('-'));
        let mut command = Command {
            subcommand,
            models,
            others,
            options: Vec::new(),
        };
        if plan.variants.len() > 1 {
            command.option(Flag::Baseline, plan.variants[plan.baseline].path.display());
        }
        command.inputs(plan);
        command
    }

    /// The same command with a value for a flag, in the place of those that it has.
    #[must_use]
    pub fn with(self, flag: Flag, value: impl ToString) -> Self {
        let mut command = self.without(flag);
        command.option(flag, value);
        command
    }

    /// The same command with a flag that needs no value.
    #[must_use]
    pub fn with_switch(self, flag: Flag) -> Self {
        let mut command = self.without(flag);
        command.switch(flag);
        command
    }

    /// The same command without a flag.
    #[must_use]
    pub fn without(mut self, flag: Flag) -> Self {
        self.options.retain(|choice| choice.flag != flag);
        self
    }

    /// The same command with idle gaps, in the place of those that it has.
    #[must_use]
    pub fn with_idle_gaps(self, gaps: &[Nanos]) -> Self {
        let mut command = self.without(Flag::IdleGaps);
        command.idle_gaps(gaps);
        command
    }

    /// The same command with one more model.
    #[must_use]
    pub fn with_model(mut self, path: &str) -> Self {
        self.others.push(path.to_owned());
        self
    }

    /// Its words, the program's name included.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["onnxprof".to_owned(), self.subcommand.to_owned()];
        words.extend(self.models.iter().cloned());
        words.extend(self.options.iter().flat_map(Choice::words));
        if self.others.iter().any(|model| model.starts_with('-')) {
            words.push("--".to_owned());
        }
        words.extend(self.others.iter().cloned());
        words
    }

    fn option(&mut self, flag: Flag, value: impl ToString) {
        self.options.push(Choice {
            flag,
            value: Some(value.to_string()),
        });
    }

    /// A flag with each value that there is.
    fn options(&mut self, flag: Flag, values: impl IntoIterator<Item: ToString>) {
        values
            .into_iter()
            .for_each(|value| self.option(flag, value));
    }

    fn switch(&mut self, flag: Flag) {
        self.options.push(Choice { flag, value: None });
    }

    fn inputs(&mut self, plan: &Plan) {
        let inputs = &plan.inputs;
        // Where a dimension is swept, data was found beside the models, and is found again.
        let data = inputs.data.iter().filter(|_| !plan.is_swept());
        self.options(Flag::Data, data.map(|data| data.display()));
        self.options(
            Flag::Labels,
            inputs.labels.iter().map(|labels| labels.display()),
        );
        self.options(
            Flag::Dim,
            inputs
                .dims
                .iter()
                .map(|(name, value)| format!("{name}={value}")),
        );
        self.options(Flag::BatchDim, &inputs.batch_dim);
        let range =
            |(name, range): (&String, &ValueRange)| format!("{name}={}..{}", range.low, range.high);
        self.options(Flag::Range, inputs.ranges.iter().map(range));
    }

    /// Libraries, execution providers and bindings: sessions are every combination of them.
    fn sessions(&mut self, sessions: &[SessionSpec]) {
        if sessions.is_empty() {
            return;
        }
        self.option(
            Flag::Runtime,
            distinct(sessions.iter().map(|spec| spec.runtime.word())).join(","),
        );
        if sessions.iter().any(SessionSpec::is_accelerated) {
            self.option(
                Flag::Ep,
                distinct(sessions.iter().map(provider_word)).join(","),
            );
        }
        let options = sessions.iter().flat_map(|spec| {
            spec.provider
                .options
                .iter()
                .map(move |(key, value)| format!("{}:{key}={value}", provider_word(spec)))
        });
        self.options(Flag::EpOption, distinct(options));
        let libraries = sessions.iter().filter_map(|spec| {
            Some(format!(
                "{}={}",
                spec.execution_provider,
                spec.provider.library.as_ref()?.display()
            ))
        });
        self.options(Flag::EpLibrary, distinct(libraries));
        self.options(
            Flag::Device,
            sessions.iter().find_map(|spec| spec.provider.device),
        );
        if sessions.iter().any(|spec| spec.provider.required) {
            self.switch(Flag::RequireEp);
        }
        self.bind(sessions);
    }

    /// Bindings as an execution provider has them whose device has memory of its own: others know one alone.
    fn bind(&mut self, sessions: &[SessionSpec]) {
        let Some(bound) = sessions.iter().find(|spec| spec.binding == Binding::Device) else {
            return;
        };
        let own = sessions
            .iter()
            .filter(|spec| spec.execution_provider == bound.execution_provider);
        let words = distinct(own.map(|spec| match spec.binding {
            Binding::Host => "host".to_owned(),
            Binding::Device => "device".to_owned(),
        }));
        self.option(Flag::Bind, words.join(","));
    }

    fn session_options(&mut self, options: &SessionOptions) {
        self.option(Flag::IntraThreads, options.intra_threads);
        let is_parallel = options.execution_mode == ExecutionMode::Parallel;
        if is_parallel {
            self.option(Flag::ExecutionMode, "parallel");
        }
        if is_parallel || options.inter_threads != 1 {
            self.option(Flag::InterThreads, options.inter_threads);
        }
        match options.graph_optimization {
            GraphOptimization::All => {}
            GraphOptimization::Disable => self.option(Flag::GraphOptimization, "disable"),
            GraphOptimization::Basic => self.option(Flag::GraphOptimization, "basic"),
            GraphOptimization::Extended => self.option(Flag::GraphOptimization, "extended"),
        }
        self.options(Flag::AllowSpinning, options.allow_spinning);
        self.options(Flag::MemoryArena, options.memory_arena);
        self.options(Flag::MemoryPattern, options.memory_pattern);
        self.options(
            Flag::SessionConfig,
            options
                .session_config
                .iter()
                .map(|(key, value)| format!("{key}={value}")),
        );
    }

    fn custom_ops(&mut self, options: &SessionOptions) {
        self.options(
            Flag::CustomOps,
            options.custom_ops.iter().map(|library| library.display()),
        );
    }

    /// Every swept dimension with all of its sizes, the one that changes least first.
    fn sweep(&mut self, plan: &Plan) {
        let mut sizes: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for (name, &size) in plan.shapes.iter().flat_map(|shape| &shape.dims) {
            sizes.entry(name).or_default().insert(size);
        }
        let changes = |name: &str| {
            plan.shapes
                .windows(2)
                .filter(|pair| pair[0].dims.get(name) != pair[1].dims.get(name))
                .count()
        };
        let mut swept: Vec<(&str, BTreeSet<u64>)> = sizes.into_iter().collect();
        swept.sort_by_key(|(name, _)| changes(name));
        self.options(
            Flag::Sweep,
            swept
                .iter()
                .map(|(name, sizes)| format!("dim={name}:{}", list(sizes))),
        );
    }

    fn idle_gaps(&mut self, gaps: &[Nanos]) {
        if !gaps.is_empty() {
            self.option(
                Flag::IdleGaps,
                gaps.iter().copied().map(time).collect::<Vec<_>>().join(","),
            );
        }
    }

    fn load(&mut self, modes: &[LoadMode]) {
        if modes != [LoadMode::SINGLE] {
            self.option(
                Flag::Concurrency,
                list(
                    modes
                        .iter()
                        .map(|LoadMode::Closed { concurrency }| concurrency),
                ),
            );
        }
    }

    fn scoring(&mut self, plan: &Plan) {
        match plan.task {
            Task::Inferred => {}
            Task::Classification => self.option(Flag::Task, "classification"),
            Task::Regression => self.option(Flag::Task, "regression"),
        }
        match plan.scored_samples {
            ScoredSamples::Fitting => {}
            ScoredSamples::All => self.option(Flag::ScoreSamples, "all"),
            ScoredSamples::First(count) => self.option(Flag::ScoreSamples, count),
        }
    }

    fn schedule(&mut self, schedule: &Schedule) {
        match &schedule.pin {
            Pin::Auto => {}
            Pin::None => self.option(Flag::Pin, "none"),
            Pin::Cpus(cpus) => self.option(Flag::Pin, list(cpus)),
        }
        if schedule.page_cache == PageCache::Cold {
            self.switch(Flag::Cold);
        }
        if schedule.target_half_width_ratio != Schedule::TARGET {
            self.option(
                Flag::Target,
                format!("{}%", percent(schedule.target_half_width_ratio)),
            );
        }
        if schedule.block_ns != Schedule::BLOCK {
            self.option(Flag::Block, time(schedule.block_ns));
        }
        if schedule.timeout_ns != Schedule::TIMEOUT {
            self.option(Flag::Timeout, time(schedule.timeout_ns));
        }
        self.options(Flag::Budget, schedule.budget_ns.map(time));
        self.options(Flag::Rounds, schedule.rounds_count);
        self.options(Flag::Alternations, schedule.alternations_count);
        self.option(Flag::Seed, schedule.seed);
    }

    fn goal(&mut self, tuning: &TuningPlan) {
        self.options(Flag::Slo, &tuning.slo);
        let drop = tuning
            .max_accuracy_drop_ratio
            .map(|drop| format!("{}pt", percent(drop)));
        self.options(Flag::MaxAccuracyDrop, drop);
        match tuning.objective {
            Objective::Throughput => {}
            Objective::Latency => self.option(Flag::Objective, "latency"),
            Objective::Memory => self.option(Flag::Objective, "memory"),
            Objective::Energy => self.option(Flag::Objective, "energy"),
        }
    }

    fn space(&mut self, space: &Space, end: SweepEnd) {
        if end == SweepEnd::Listed {
            self.option(Flag::Batch, list(&space.batch_sizes));
        }
        self.option(Flag::IntraThreads, list(&space.intra_threads));
        let kept = [
            ("optimization", space.graph_optimizations.len()),
            ("execution", space.executions.len()),
            ("spinning", space.spinning.len()),
            ("arena", space.memory_arena.len()),
            ("pattern", space.memory_pattern.len()),
        ];
        let kept: Vec<&str> = kept
            .into_iter()
            .filter(|(_, tried)| *tried == 1)
            .map(|(word, _)| word)
            .collect();
        if !kept.is_empty() {
            self.option(Flag::Keep, kept.join(","));
        }
    }
}

/// The word that leads to a session's execution provider: its short name, unless that is another's.
fn provider_word(spec: &SessionSpec) -> String {
    let identifier = &spec.execution_provider;
    let name = provider::short_name(identifier);
    if spec.provider.library.is_some() || provider::identifier(&name) != *identifier {
        identifier.clone()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Command {
        Command {
            subcommand: "profile",
            models: Vec::new(),
            options: Vec::new(),
            others: Vec::new(),
        }
    }

    #[test]
    fn a_flag_takes_its_value_along() {
        let mut command = empty();
        command.option(Flag::Batch, "1,2");
        command.switch(Flag::RequireEp);
        command.option(Flag::Seed, 0);
        let words = |command: Command| command.words()[2..].join(" ");
        assert_eq!(
            words(command.clone().with(Flag::Batch, 4)),
            "--require-ep --seed 0 --batch 4"
        );
        assert_eq!(
            words(command.clone().without(Flag::RequireEp)),
            "--batch 1,2 --seed 0"
        );
        assert_eq!(
            words(command.with_switch(Flag::Cold)),
            "--batch 1,2 --require-ep --seed 0 --cold"
        );
    }

    #[test]
    fn words_that_begin_with_a_dash_are_not_taken_for_flags() {
        let mut command = empty();
        command.option(Flag::Data, "-x.npz");
        assert_eq!(
            command.with_model("-m.onnx").words()[2..],
            ["--data=-x.npz", "--", "-m.onnx"]
        );
    }
}
