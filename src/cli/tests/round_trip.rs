//! Words become a plan and the plan becomes words again, by the real command line.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::Parser as _;

use crate::analysis::{self, Untried};
use crate::cli::load;
use crate::cli::plan::under_load::server;
use crate::cli::plan::{self, Family};
use crate::cli::progress::Console;
use crate::cli::{Cli, CliError, Command as Subcommand};
use crate::plan::{Command, Flag, Plan, RuntimeChoice, SessionSpec, Variant};
use crate::record::{DatasetInfo, Dim, Host, RunRecord, ValueType};
use crate::runner::FoundRuntime;
use crate::sample::{Roots, host};
use crate::store;

/// Lists of words made up, the next by a linear congruential generator.
struct Words {
    state: u64,
    /// Files that exist, for options which look.
    folder: tempfile::TempDir,
}

impl Words {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["ops.so", "more ops.so", "ep.so"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        Words {
            state: seed,
            folder,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % end
    }

    fn of<'a>(&mut self, choices: &'a str) -> &'a str {
        let choices: Vec<&str> = choices.split('|').collect();
        choices[self.below(choices.len())]
    }

    fn file(&self, name: &str) -> String {
        self.folder
            .path()
            .canonicalize()
            .unwrap()
            .join(name)
            .display()
            .to_string()
    }

    /// A value that a flag takes; `None` for one that takes none.
    fn value(&mut self, flag: Flag) -> Option<String> {
        let value = match flag {
            Flag::RequireEp | Flag::Cold | Flag::Stress | Flag::OwnServer => return None,
            Flag::CustomOps => {
                let name = self.of("ops.so|more ops.so");
                self.file(name)
            }
            Flag::EpLibrary => format!("{}={}", self.of("My_EP|cuda"), self.file("ep.so")),
            _ => self.of(values(flag)).to_owned(),
        };
        Some(value)
    }

    /// Words of a command with models and some of the flags that it takes.
    fn command(&mut self, subcommand: &str, flags: &[Flag]) -> Vec<String> {
        let mut words = vec!["onnxprof".to_owned(), subcommand.to_owned()];
        let models = ["net-fp32.onnx", "with space/net int8.onnx", "net=1,2.ort"];
        let count = self.below(5);
        words.extend(models[..count.min(3)].iter().map(|&model| model.to_owned()));
        if count.is_multiple_of(4) {
            words.push(FOLDER.to_owned());
        }
        for &flag in flags {
            // Flags that may be given several times are, now and then.
            let times = [0, 0, 0, 1, 1, 2][self.below(6)];
            let most = if [
                Flag::Dim,
                Flag::Range,
                Flag::Sweep,
                Flag::SessionConfig,
                Flag::CustomOps,
                Flag::EpOption,
                Flag::Slo,
                Flag::Batcher,
                Flag::Tolerance,
            ]
            .contains(&flag)
            {
                2
            } else {
                1
            };
            for _ in 0..times.min(most) {
                words.push(match self.value(flag) {
                    Some(value) => format!("{flag}={value}"),
                    None => flag.to_string(),
                });
            }
        }
        words
    }
}

/// Values of a flag, with bars between them.
fn values(flag: Flag) -> &'static str {
    match flag {
        Flag::Baseline => "net-fp32.onnx|with space/net int8.onnx|int8",
        Flag::Data | Flag::Labels => "x.npz|-x.npz|a folder/x.npy",
        Flag::Dim => "seq=128|past + 1=0|x.1=7",
        Flag::BatchDim => "N|x.0|none",
        Flag::Range => "x=-1..1.5|ids=0..=29999|y=1e-300..1e300",
        Flag::Task => "auto|classification|regression",
        Flag::ScoreSamples => "all|250",
        Flag::Tolerance => "y=0.98|a=b:0=0.02:0.1|logits=0.995:0.9",
        Flag::Batch => "1|8,1,8|1,2,4,8,16,32,64",
        Flag::Sweep => "dim=seq:16,64|dim=a:3,1|dim=past + 1:0,5,9",
        Flag::IdleGaps => "0|0,10ms,100ms,1s|1500us,1m",
        Flag::LatencyLimit => "20ms|1s 500ms",
        Flag::Concurrency => "1|4,1|65536",
        Flag::Runtime => "script:a.json|script:a.json,script:b c.json|cpu@1.31.1|./x.so,cpu@1.31.1",
        Flag::IntraThreads => "1|4",
        Flag::InterThreads => "1|2",
        Flag::GraphOptimization => "disable|basic|extended|all",
        Flag::ExecutionMode => "sequential|parallel",
        Flag::AllowSpinning | Flag::MemoryArena | Flag::MemoryPattern => "true|false",
        Flag::SessionConfig => "session.a=1|session.b=x=y, z|session.c=",
        Flag::Ep => {
            "cpu|cuda|cuda,cpu|cpu,tensorrt|cpu,My_EP,openvino|FooExecutionProvider|azure,Bar"
        }
        Flag::Device => "0|3",
        Flag::EpOption => {
            "cuda:a=b|cpu:use_arena=0|k=v:w|My_EP:k=|openvino:device_type=HETERO:GPU,CPU"
        }
        Flag::Bind => "host|device|host,device|device,host",
        Flag::Budget => "60s|300s|90s|1m 30s 1ns",
        Flag::Target => "2%|7%|0.137|1e-4%",
        Flag::Rounds | Flag::Alternations => "1|40",
        Flag::Block => "30ms|5ms",
        Flag::Timeout => "120s|2500ms",
        Flag::Pin => "auto|none|0|0,2-3",
        Flag::Seed => "0|18446744073709551615",
        Flag::Slo => "latency_p99<=20ms|throughput>=500/s|response_p99<=20ms|error_rate<=0.1%",
        Flag::MaxAccuracyDrop => "0pt|0.5pt|0.7 points",
        Flag::Objective => "throughput|latency|memory|energy",
        Flag::Keep => "optimization|execution,spinning|pattern,arena",
        Flag::Arrivals => "constant|poisson|gamma:2.5|bursts:8|users:0|users:20ms",
        Flag::Rate => "1000|0.5,20/s|3e5,7",
        Flag::Soak => "10m|1500ms",
        Flag::Users => "1|8,2,8",
        Flag::Scenario => "single-stream|multi-stream|server|offline",
        Flag::Callers => "1|2|4,1,2",
        Flag::Sessions | Flag::Processes => "1|2|2,1",
        Flag::Queue => "none|1000|7",
        Flag::Batcher => {
            "none|max-batch=16,max-delay=2ms|max-batch=8,max-delay=0,preferred=8:4|max-batch=3,max-delay=7us"
        }
        Flag::Segment => "2s|250ms",
        Flag::Url => "http://127.0.0.1:8000/v2/models/net|http://127.0.0.1/v2/models/a/versions/2",
        // That of the system, which is always there.
        Flag::ServerPid => "1",
        Flag::EpLibrary
        | Flag::CustomOps
        | Flag::RequireEp
        | Flag::Cold
        | Flag::Stress
        | Flag::OwnServer => "",
    }
}

/// A machine with four CPUs.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let real = host::fingerprint(&Roots::system());
    Host {
        affinity_cpus: vec![0, 1, 2, 3],
        usable_cpus_count: 4,
        ..real
    }
});

/// A folder of models.
const FOLDER: &str = "a set";

fn variants(model: &Path) -> Vec<Variant> {
    if model != Path::new(FOLDER) {
        return vec![Variant {
            name: model.into(),
            path: model.into(),
        }];
    }
    ["fp32", "int8"]
        .map(|name| Variant {
            name: name.into(),
            path: model.join(format!("net-{name}.onnx")),
        })
        .into()
}

/// The models that are named, without looking whether they are there.
fn family(models: &[PathBuf], baseline: Option<&str>) -> Family {
    let mut variants: Vec<Variant> = models.iter().flat_map(|model| variants(model)).collect();
    let baseline = variants.iter().position(|variant| {
        let path = variant.path.to_str();
        baseline.is_some_and(|asked| variant.name == *asked || path == Some(asked))
    });
    let has_folder = models.iter().any(|model| model == Path::new(FOLDER));
    variants[..=baseline.unwrap_or(0)].rotate_right(1);
    Family {
        name: "net".into(),
        named: models.iter().filter(|_| has_folder).cloned().collect(),
        variants,
        baseline: 0,
        data: None,
        notes: Vec::new(),
    }
}

/// Libraries as they are named, without opening them.
fn runtimes(words: &[String]) -> Vec<FoundRuntime> {
    let is_scripted = !words.is_empty() && words.iter().all(|word| word.starts_with("script:"));
    if let Some(Ok(found)) = is_scripted.then(|| plan::runtimes(words, &mut Console::silent())) {
        return found.found;
    }
    words
        .iter()
        .map(String::as_str)
        .chain(words.is_empty().then_some("libonnxruntime.so"))
        .map(|word| match word.split_once('@') {
            Some((build, version)) => FoundRuntime {
                choice: RuntimeChoice::Library(format!("/cache/{build}-{version}/x.so").into()),
                found_by: String::new(),
                release: Some(word.to_owned()),
            },
            None => FoundRuntime {
                choice: RuntimeChoice::Library(word.into()),
                found_by: String::new(),
                release: None,
            },
        })
        .collect()
}

/// The plan that words ask for, by the real command line; why there is none otherwise.
fn planned(words: &[String]) -> Result<Plan, String> {
    let said = |error: CliError| error.chain.join(": ");
    match Cli::try_parse_from(words)
        .map_err(|error| error.to_string())?
        .command
    {
        Subcommand::Profile(args) => plan::profile::plan(
            &args.measure,
            &family(&args.models, args.baseline.as_deref()),
            &runtimes(&args.measure.session.runtime),
            &HOST,
        )
        .map_err(said),
        Subcommand::Load(args) => under_load(&args).map_err(said),
        Subcommand::Tune(args) => {
            let family = family(&args.models, args.baseline.as_deref());
            plan::search::bases(
                &args.search,
                &family,
                &runtimes(&args.search.space.runtime),
                &plan::providers(&args.search.providers).map_err(said)?,
            )
            .and_then(|bases| plan::search::plan(&args.goal, &args.search, &family, bases, &HOST))
            .map_err(said)
        }
        _ => Err("it measures nothing".into()),
    }
}

fn under_load(args: &load::Args) -> Result<Plan, CliError> {
    let asked = &args.asked;
    let mut family = match args.models[..] {
        [] => family(&["served-model.onnx".into()], None),
        _ => family(&args.models, args.baseline.as_deref()),
    };
    let mut found = runtimes(&asked.session.runtime);
    if let Some(server) = asked.server.server()? {
        if args.models.is_empty() {
            server::require_no_runtime(&asked.session.runtime)?;
            family.named.clear();
            found.clear();
        }
        server::require_one(&family)?;
        found.push(server::found(server));
    }
    plan::under_load::plan(asked, &family, &found, &HOST)
}

/// Flags of a subcommand that say what is planned, as its definition has them.
fn flags(subcommand: &str) -> Vec<Flag> {
    let cli = <Cli as clap::CommandFactory>::command();
    let arguments = cli.find_subcommand(subcommand).unwrap().get_arguments();
    // What is done with a run, and no part of its plan.
    let others = [
        "out", "plan", "decide", "full", "context", "open", "json", "quiet", "no-color", "resume",
    ];
    arguments
        .filter_map(|argument| argument.get_long())
        .filter(|word| !others.contains(word))
        .map(|word| {
            let known = Flag::ALL.iter().find(|flag| flag.word() == word);
            *known.unwrap_or_else(|| panic!("`--{word}` of `{subcommand}` is no flag of a plan"))
        })
        .collect()
}

/// Plans of made-up words that fit together; every flag of the subcommand is among them.
fn plans(subcommand: &str, seeds: std::ops::Range<u64>) -> Vec<(Vec<String>, Plan, Words)> {
    let flags = flags(subcommand);
    let mut used = BTreeSet::new();
    let mut plans = Vec::new();
    for seed in seeds {
        let mut words = Words::new(seed);
        // Few flags fit together more often than many.
        let mut some = flags.clone();
        some.retain(|_| words.below(4) > 0);
        let command = words.command(subcommand, &some);
        if let Ok(plan) = planned(&command) {
            some.retain(|flag| {
                command
                    .iter()
                    .any(|word| word.starts_with(&flag.to_string()))
            });
            used.extend(some);
            plans.push((command, plan, words));
        }
    }
    let unused: Vec<_> = flags.iter().filter(|flag| !used.contains(*flag)).collect();
    assert!(
        unused.is_empty() && plans.len() > 50,
        "{unused:?} in {} plans",
        plans.len()
    );
    plans
}

#[test]
fn a_plan_s_words_ask_for_the_same_plan() {
    // Of the options of `load`, few fit together.
    for (subcommand, seeds) in [("profile", 800), ("load", 4800), ("tune", 800)] {
        for (command, plan, _files) in plans(subcommand, 0..seeds) {
            let words = Command::of(&plan).words();
            assert_eq!(
                planned(&words).as_ref(),
                Ok(&plan),
                "\n   {command:?}\n-> {words:?}"
            );
        }
    }
}

#[test]
fn commands_name_folders_and_releases_by_their_words() {
    let words = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut asked = words("onnxprof profile MODELS --baseline int8 --runtime cpu@1.31.1 --seed 0");
    asked[2] = FOLDER.into();
    let plan = planned(&asked).unwrap();
    let command = Command::of(&plan);
    let begin = [FOLDER, "--baseline", "int8", "--runtime", "cpu@1.31.1"];
    assert_eq!(command.words()[2..7], begin);
    // With one more model, names may be others.
    let more = command.with_model("other.onnx").words();
    assert_eq!(more[4], "a set/net-int8.onnx");
    assert_eq!(more.last().unwrap(), "other.onnx");
}

fn stored() -> RunRecord {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    store::load(&root.join("tests/it/record/run-1.3.json")).unwrap()
}

/// A stored run as if it had been measured by another plan, with a dimension that was left open.
fn measured_by(plan: &Plan, stored: &RunRecord) -> RunRecord {
    let mut record = stored.clone();
    record.fitness = None;
    // Nothing about outputs is open among copies of one file.
    let hash = record.variants[0].sha256.clone();
    for variant in &mut record.variants {
        variant.sha256.clone_from(&hash);
    }
    let spec = plan.sessions.last().unwrap();
    for session in &mut record.plan.sessions {
        *session = SessionSpec {
            variant: session.variant,
            ..spec.clone()
        };
    }
    let Plan {
        variants,
        baseline,
        sessions,
        ..
    } = record.plan;
    record.plan = Plan {
        variants,
        baseline,
        sessions,
        ..plan.clone()
    };
    record.dataset = record.plan.inputs.data.as_ref().map(|data| DatasetInfo {
        source: data.as_path().into(),
        samples_count: 10,
        class_labels: None,
        has_targets: false,
        has_expected_outputs: false,
    });
    record.accuracy.clear();
    record.runtimes[0].execution_providers = ["CPU", "OpenVINO", "CUDA"]
        .map(|name| format!("{name}ExecutionProvider").into())
        .into();
    for variant in &mut record.variants {
        let model = variant.model.as_mut();
        if let Some(ValueType::Tensor {
            dims: Some(dims), ..
        }) = model.map(|model| &mut model.inputs[0].value_type)
            && let Some(dim) = dims.get_mut(1)
        {
            *dim = Dim::Symbolic("seq".into());
        }
    }
    record
}

#[test]
fn what_advice_asks_for_can_be_planned() {
    let stored = stored();
    let mut told = BTreeSet::new();
    for (asked, plan, _files) in plans("profile", 0..600) {
        let record = measured_by(&plan, &stored);
        let findings = analysis::findings(&record);
        let advised = findings
            .decisions
            .advice
            .iter()
            .map(|advice| ("advice".to_owned(), &advice.command));
        let untried = findings.decisions.not_tried.iter();
        for (what, command) in
            advised.chain(untried.map(|untried| (format!("{:?}", untried.what), &untried.command)))
        {
            let planned = planned(command);
            assert!(
                planned.is_ok(),
                "{what}: {}\n   {asked:?}\n-> {command:?}",
                planned.unwrap_err()
            );
            told.insert(what.split('(').next().unwrap().to_owned());
        }
    }
    let wanted = [
        "advice",
        "AnotherRuntime",
        "Concurrency",
        "DeviceBinding",
        "ExecutionProvider",
        "Labels",
        "OpenDimension",
        "Tuning",
    ];
    assert!(wanted.iter().all(|what| told.contains(*what)), "{told:?}");
}

#[test]
fn more_requests_in_flight_are_not_advised_for_a_session_that_captures_graphs() {
    let stored = stored();
    let advised = |option: &str| {
        let words: Vec<String> =
            format!("onnxprof profile m.onnx --ep cuda --bind device --ep-option {option}")
                .split(' ')
                .map(str::to_owned)
                .collect();
        let record = measured_by(&planned(&words).unwrap(), &stored);
        let untried = analysis::findings(&record).decisions.not_tried;
        assert!(
            untried
                .iter()
                .all(|untried| planned(&untried.command).is_ok())
        );
        untried
            .iter()
            .any(|untried| untried.what == Untried::Concurrency)
    };
    assert!(!advised("enable_cuda_graph=1"));
    assert!(advised("enable_cuda_graph=0"));
}
