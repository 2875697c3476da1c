//! Which words ask for a plan, flag by flag.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::super::value::{list, percent, time};
use super::super::{
    Arrivals, Binding, ExecutionMode, Flag, GraphOptimization, InputRequest, Judging, LoadMode,
    LoadPlan, Objective, PageCache, Pin, Plan, Question, Scenario, Schedule, ScoredSamples,
    Serving, SessionOptions, SessionSpec, Shape, Space, SweepEnd, Task, Tolerance, TuningPlan,
    Variant,
};
use super::Command;
use crate::provider;
use crate::text::{Plain, distinct};
use crate::units::Nanos;

impl Command {
    /// The command that asks for a plan: `profile`, `load` for one under load, or `tune` for that of a
    /// search.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        if let Some(load) = &plan.load {
            Command::under_load(plan, load)
        } else if plan.tuning.is_some() {
            Command::tune(plan)
        } else {
            Command::profile(plan)
        }
    }

    fn profile(plan: &Plan) -> Self {
        let mut command = Command::begin("profile", plan);
        if plan.sweep_end == SweepEnd::Listed {
            command.joined(Flag::Batch, &plan.batch_sizes);
        }
        command.sessions(plan, &plan.sessions);
        if let Some(last) = plan.sessions.last() {
            command.session_options(&last.options);
            command.custom_ops(&last.options);
        }
        command.sweep(plan);
        command.idle_gaps(&plan.idle_gaps_ns);
        command.options(Flag::LatencyLimit, plan.latency_limit_ns.map(time));
        command.load(&plan.load_modes);
        command.scoring(plan);
        command.judging(&plan.judging);
        command.schedule(&plan.schedule);
        command
    }

    fn under_load(plan: &Plan, load: &LoadPlan) -> Self {
        let mut command = Command::begin("load", plan);
        command.question(&load.question);
        command.options(Flag::Arrivals, arrivals_word(load));
        command.options(Flag::Slo, &load.slo);
        let is_prescribed = matches!(
            load.question,
            Question::Scenario(Scenario::SingleStream | Scenario::MultiStream)
        );
        command.servings(&load.servings, is_prescribed);
        command.server(plan);
        let (_, local): (Vec<_>, Vec<_>) = plan
            .sessions
            .iter()
            .cloned()
            .partition(SessionSpec::is_remote);
        if !local.is_empty() {
            command.sessions(plan, &local);
        }
        if let Some(last) = local.last() {
            command.session_options(&last.options);
            command.custom_ops(&last.options);
        }
        if load.segment_ns != LoadPlan::SEGMENT {
            command.option(Flag::Segment, time(load.segment_ns));
        }
        command.timing(&plan.schedule, None);
        command
    }

    fn server(&mut self, plan: &Plan) {
        let mut servers = plan.sessions.iter().map(|spec| spec.runtime.server());
        let Some(server) = servers.find_map(|server| server) else {
            return;
        };
        self.option(Flag::Url, server.url.exact());
        self.options(Flag::ServerPid, server.pid);
        if server.is_owned {
            self.switch(Flag::OwnServer);
        }
    }

    fn question(&mut self, question: &Question) {
        match question {
            Question::Curve { rates } => self.joined(Flag::Rate, rates.iter().map(|rate| rate.0)),
            Question::Capacity => {}
            Question::Stress => self.switch(Flag::Stress),
            Question::Soak { rate, length_ns } => {
                self.option(Flag::Soak, time(*length_ns));
                self.options(Flag::Rate, rate.map(|rate| rate.0));
            }
            Question::Users { counts } => self.joined(Flag::Users, counts),
            Question::Scenario(scenario) => self.option(
                Flag::Scenario,
                match scenario {
                    Scenario::SingleStream => "single-stream",
                    Scenario::MultiStream => "multi-stream",
                    Scenario::Server => "server",
                    Scenario::Offline => "offline",
                },
            ),
        }
    }

    /// `is_prescribed`: the scenario says how requests are served, but for the queue.
    fn servings(&mut self, servings: &[Serving], is_prescribed: bool) {
        let limit = servings.first().and_then(|serving| serving.queue_limit);
        if limit != Some(Serving::QUEUE) {
            self.option(
                Flag::Queue,
                limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string()),
            );
        }
        if is_prescribed {
            return;
        }
        if servings.iter().any(|one| one.callers != one.sessions) {
            self.numbers(Flag::Callers, servings.iter().map(|one| one.callers));
        }
        self.numbers(Flag::Sessions, servings.iter().map(|one| one.sessions));
        self.numbers(Flag::Processes, servings.iter().map(|one| one.processes));
        let batchers = distinct(servings.iter().map(|serving| &serving.batcher));
        if batchers != [&None] {
            self.options(
                Flag::Batcher,
                batchers.iter().map(|batcher| match batcher {
                    Some(batcher) => batcher.to_string(),
                    None => "none".to_owned(),
                }),
            );
        }
    }

    /// All numbers, unless they are 1.
    fn numbers(&mut self, flag: Flag, numbers: impl Iterator<Item = u64>) {
        let numbers = distinct(numbers);
        if flag == Flag::Callers || numbers != [1] {
            self.joined(flag, numbers);
        }
    }

    /// A search over the models of a plan, with its libraries and execution providers; of the plan
    /// of a search, that search.
    #[must_use]
    pub fn tune(plan: &Plan) -> Self {
        let mut command = Command::begin("tune", plan);
        let tuning = plan.tuning.as_ref();
        let bases = tuning.map_or(plan.sessions.len(), |tuning| tuning.base_sessions_count);
        let bases = plan.sessions.get(..bases).unwrap_or_default();
        command.sessions(plan, bases);
        if let Some(last) = bases.last() {
            command.custom_ops(&last.options);
        }
        command.scoring(plan);
        if let Some(tuning) = tuning {
            command.goal(tuning);
            command.space(&tuning.space, plan.sweep_end);
            command.schedule(&plan.schedule);
        }
        command
    }

    fn begin(subcommand: &'static str, plan: &Plan) -> Self {
        let (others, models) = models(plan)
            .map(|model| model.display().to_string())
            .partition(|model| model.starts_with('-'));
        let baseline = plan
            .variants
            .get(plan.baseline)
            .filter(|_| plan.variants.len() > 1);
        let mut command = Command {
            subcommand,
            models,
            others,
            options: Vec::new(),
            baseline: baseline.map(|baseline| baseline.path.display().to_string()),
        };
        command.options(Flag::Baseline, baseline.map(|one| baseline_word(plan, one)));
        command.inputs(plan);
        command
    }

    fn inputs(&mut self, plan: &Plan) {
        let InputRequest {
            data,
            labels,
            dims,
            batch_dim,
            ranges,
            ..
        } = &plan.inputs;
        // Where a dimension is swept, data was found beside the models, and is found again.
        let data = data.iter().filter(|_| !plan.is_swept());
        self.options(Flag::Data, data.map(|data| data.display()));
        self.options(Flag::Labels, labels.iter().map(|labels| labels.display()));
        self.options(
            Flag::Dim,
            dims.iter()
                .map(|(name, value)| format!("{}={value}", name.exact())),
        );
        self.options(Flag::BatchDim, batch_dim.iter().map(Plain::exact));
        self.options(
            Flag::Range,
            ranges
                .iter()
                .map(|(name, range)| format!("{}={}..{}", name.exact(), range.low, range.high)),
        );
    }

    /// Libraries, execution providers and bindings: sessions are every combination of them.
    fn sessions(&mut self, plan: &Plan, sessions: &[SessionSpec]) {
        self.joined(
            Flag::Runtime,
            distinct(
                sessions
                    .iter()
                    .map(|spec| plan.named.runtime_word(&spec.runtime)),
            ),
        );
        self.providers(sessions);
        self.bind(sessions);
    }

    /// Execution providers with their options, libraries and device.
    fn providers(&mut self, sessions: &[SessionSpec]) {
        if sessions.iter().any(SessionSpec::is_accelerated) {
            self.joined(Flag::Ep, distinct(sessions.iter().map(provider_word)));
        }
        self.options(
            Flag::EpOption,
            distinct(sessions.iter().flat_map(provider_options)),
        );
        self.options(
            Flag::EpLibrary,
            distinct(sessions.iter().filter_map(provider_library)),
        );
        let mut specs = sessions.iter().map(|session| &session.provider);
        self.options(Flag::Device, specs.clone().find_map(|spec| spec.device));
        if specs.any(|spec| spec.required) {
            self.switch(Flag::RequireEp);
        }
    }

    /// Bindings as an execution provider has them whose device has memory of its own: others know
    /// one alone.
    fn bind(&mut self, sessions: &[SessionSpec]) {
        let bound = sessions.iter().find(|spec| spec.binding == Binding::Device);
        let Some(SessionSpec {
            execution_provider, ..
        }) = bound
        else {
            return;
        };
        self.joined(
            Flag::Bind,
            distinct(
                sessions
                    .iter()
                    .filter(|spec| spec.execution_provider == *execution_provider)
                    .map(|spec| spec.binding.word()),
            ),
        );
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
        let level = match options.graph_optimization {
            GraphOptimization::All => None,
            GraphOptimization::Disable => Some("disable"),
            GraphOptimization::Basic => Some("basic"),
            GraphOptimization::Extended => Some("extended"),
        };
        self.options(Flag::GraphOptimization, level);
        self.options(Flag::AllowSpinning, options.allow_spinning);
        self.options(Flag::MemoryArena, options.memory_arena);
        self.options(Flag::MemoryPattern, options.memory_pattern);
        self.options(
            Flag::SessionConfig,
            options
                .session_config
                .iter()
                .map(|(key, value)| format!("{}={}", key.exact(), value.exact())),
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
        let mut sizes: BTreeMap<&Plain, BTreeSet<u64>> = BTreeMap::new();
        for (name, &size) in plan.shapes.iter().flat_map(|shape| &shape.dims) {
            sizes.entry(name).or_default().insert(size);
        }
        let mut swept: Vec<_> = sizes.into_iter().collect();
        swept.sort_by_key(|(name, _)| changes_count(&plan.shapes, name));
        self.options(
            Flag::Sweep,
            swept
                .iter()
                .map(|(name, sizes)| format!("dim={}:{}", name.exact(), list(sizes))),
        );
    }

    fn load(&mut self, modes: &[LoadMode]) {
        if modes != [LoadMode::SINGLE] {
            self.joined(
                Flag::Concurrency,
                modes.iter().map(|mode| mode.threads_count()),
            );
        }
    }

    fn scoring(&mut self, plan: &Plan) {
        let task = match plan.task {
            Task::Inferred => None,
            Task::Classification => Some("classification"),
            Task::Regression => Some("regression"),
        };
        self.options(Flag::Task, task);
        match plan.scored_samples {
            ScoredSamples::Fitting => {}
            ScoredSamples::All => self.option(Flag::ScoreSamples, "all"),
            ScoredSamples::First(count) => self.option(Flag::ScoreSamples, count),
        }
        self.options(
            Flag::Tolerance,
            plan.judging.tolerances.iter().map(tolerance),
        );
    }

    fn judging(&mut self, judging: &Judging) {
        let drop = judging.max_accuracy_drop_ratio;
        if drop != Judging::MAX_ACCURACY_DROP {
            self.option(Flag::MaxAccuracyDrop, percent(drop) + "pt");
        }
        self.objective(judging.objective, Objective::Latency);
    }

    /// Unless it is what is taken anyway.
    fn objective(&mut self, objective: Objective, default: Objective) {
        let word = match objective {
            Objective::Throughput => "throughput",
            Objective::Latency => "latency",
            Objective::Memory => "memory",
            Objective::Energy => "energy",
        };
        self.options(Flag::Objective, (objective != default).then_some(word));
    }

    fn schedule(&mut self, schedule: &Schedule) {
        if schedule.page_cache == PageCache::Cold {
            self.switch(Flag::Cold);
        }
        let target = schedule.target_half_width_ratio;
        if target != Schedule::TARGET {
            self.option(Flag::Target, percent(target) + "%");
        }
        if schedule.block_ns != Schedule::BLOCK {
            self.option(Flag::Block, time(schedule.block_ns));
        }
        self.timing(schedule, schedule.alternations_count);
    }

    /// What commands that measure have in common.
    fn timing(&mut self, schedule: &Schedule, alternations_count: Option<u64>) {
        match &schedule.pin {
            Pin::Auto => {}
            Pin::Each => self.option(Flag::Pin, "each"),
            Pin::None => self.option(Flag::Pin, "none"),
            Pin::Cpus(cpus) => self.option(Flag::Pin, list(cpus)),
        }
        if schedule.timeout_ns != Schedule::TIMEOUT {
            self.option(Flag::Timeout, time(schedule.timeout_ns));
        }
        self.options(Flag::Budget, schedule.budget_ns.map(time));
        self.options(Flag::Rounds, schedule.rounds_count);
        self.options(Flag::Alternations, alternations_count);
        self.option(Flag::Seed, schedule.seed);
    }

    fn goal(&mut self, tuning: &TuningPlan) {
        self.options(Flag::Slo, &tuning.slo);
        self.options(
            Flag::MaxAccuracyDrop,
            tuning
                .max_accuracy_drop_ratio
                .map(|drop| percent(drop) + "pt"),
        );
        self.objective(tuning.objective, Objective::Throughput);
    }

    fn space(&mut self, space: &Space, end: SweepEnd) {
        if end == SweepEnd::Listed {
            self.joined(Flag::Batch, &space.batch_sizes);
        }
        self.option(Flag::IntraThreads, list(&space.intra_threads));
        self.joined(
            Flag::Keep,
            [
                ("optimization", space.graph_optimizations.len()),
                ("execution", space.executions.len()),
                ("spinning", space.spinning.len()),
                ("arena", space.memory_arena.len()),
                ("pattern", space.memory_pattern.len()),
            ]
            .into_iter()
            .filter(|(_, count)| *count == 1)
            .map(|(word, _)| word),
        );
    }
}

/// How requests arrive, unless that is what is taken anyway.
fn arrivals_word(load: &LoadPlan) -> Option<String> {
    match &load.arrivals {
        Arrivals::Poisson => None,
        Arrivals::Users { think_ns: Nanos(0) } => None,
        Arrivals::Constant => Some("constant".into()),
        Arrivals::Gamma { variation } => Some(format!("gamma:{}", variation.0)),
        Arrivals::Bursts { size } => Some(format!("bursts:{size}")),
        Arrivals::Trace { path, .. } => Some(format!("trace:{}", path.display())),
        Arrivals::Users { think_ns } => Some(format!("users:{}", time(*think_ns))),
    }
}

/// The words that name the models: where these are known, as they were named, and else each file;
/// none where a server alone has them.
fn models(plan: &Plan) -> impl Iterator<Item = &PathBuf> {
    let is_local = plan.sessions.iter().any(|spec| !spec.is_remote());
    let files = plan.variants.iter().map(|variant| &variant.path);
    let files = files.filter(move |_| is_local);
    let files = files.filter(|_| plan.named.models.is_empty());
    plan.named.models.iter().chain(files)
}

/// The baseline's name where the same words give the variants the same names, unless a file is
/// called so too; else its path.
fn baseline_word(plan: &Plan, baseline: &Variant) -> String {
    let mut others = plan.variants.iter().filter(|&other| other != baseline);
    let is_of_two = others.any(|other| {
        let stem = other.path.file_stem();
        stem.is_some_and(|stem| stem == baseline.name.exact())
    });
    if plan.named.models.is_empty() || is_of_two {
        baseline.path.display().to_string()
    } else {
        baseline.name.exact().to_owned()
    }
}

/// `output=ship:refuse`.
fn tolerance(tolerance: &Tolerance) -> String {
    let refuse = tolerance
        .refuse
        .map_or_else(String::new, |refuse| format!(":{refuse}"));
    format!("{}={}{refuse}", tolerance.output.exact(), tolerance.ship)
}

fn provider_options(spec: &SessionSpec) -> impl Iterator<Item = String> {
    spec.provider.options.iter().map(move |(key, value)| {
        format!("{}:{}={}", provider_word(spec), key.exact(), value.exact())
    })
}

fn provider_library(spec: &SessionSpec) -> Option<String> {
    let library = spec.provider.library.as_ref()?.display();
    Some(format!("{}={library}", spec.execution_provider.exact()))
}

/// How often the size of a dimension changes from one shape to the next.
fn changes_count(shapes: &[Shape], name: &Plain) -> usize {
    shapes
        .windows(2)
        .filter(|pair| pair[0].dims.get(name) != pair[1].dims.get(name))
        .count()
}

/// The word that leads to a session's execution provider: its short name, unless that is another's.
fn provider_word(spec: &SessionSpec) -> String {
    let identifier = &spec.execution_provider;
    let name = provider::short_name(identifier.exact());
    match spec.provider.library {
        None if *identifier == provider::identifier(&name) => name,
        _ => identifier.exact().to_owned(),
    }
}
