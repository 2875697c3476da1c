//! One function for each kind of file that onnxprof reads: it reads the bytes that it is given as
//! far as onnxprof would, and does with the result what commands do. None may panic, nor take
//! memory without a limit, whatever the bytes are. What is returned is whether they were taken, or
//! refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use onnxprof::analysis::{self, gate};
use onnxprof::export::{self, Names};
use onnxprof::inputs::{self, Dataset};
use onnxprof::onnx::{self, Model, ShapeFacts};
use onnxprof::plan::InputRequest;
use onnxprof::protocol::{Request, Response};
use onnxprof::record::RunRecord;
use onnxprof::report::{self, Beside, Color, Context, Filled, Glyphs, Report, Style};
use onnxprof::stats::Latencies;
use onnxprof::store;
use onnxprof::trace::{self, Counted};
use serde_json::Value;

/// Largest batch that is made of data.
const BATCH: u64 = 8;

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Name of the kind, and of the folder of the corpus.
    pub name: &'static str,
    /// Reads such a file, in a folder of the reader's own; absent where it is refused.
    pub read: fn(&Path, &[u8]) -> Option<()>,
}

/// Every kind.
pub const READERS: [Reader; 11] = [
    Reader {
        name: "model",
        read: model,
    },
    Reader {
        name: "npz",
        read: npz,
    },
    Reader {
        name: "npy",
        read: npy,
    },
    Reader {
        name: "pb",
        read: pb,
    },
    Reader {
        name: "record",
        read: record,
    },
    Reader {
        name: "journal",
        read: journal,
    },
    Reader {
        name: "trace",
        read: trace,
    },
    Reader {
        name: "rules",
        read: rules,
    },
    Reader {
        name: "context",
        read: context,
    },
    Reader {
        name: "plan",
        read: plan,
    },
    Reader {
        name: "protocol",
        read: protocol,
    },
];

impl Reader {
    /// The kind of that name.
    ///
    /// # Panics
    /// There is none.
    pub fn named(name: &str) -> Reader {
        READERS
            .into_iter()
            .find(|reader| reader.name == name)
            .expect("there is a reader of that name")
    }
}

/// A file or folder below `models/`.
pub fn models(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = root.join("models");
    // The fuzzer's crate lies two folders deeper.
    if beside.is_dir() {
        beside.join(path)
    } else {
        root.join("../../models").join(path)
    }
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("the folder can be written to");
    path
}

fn model(folder: &Path, bytes: &[u8]) -> Option<()> {
    let model = onnx::read(&written(folder, "model.onnx", bytes)).ok()?;
    let _ = onnx::summary(&model);
    let _ = ShapeFacts::of(&onnx::inlined(&model));
    let plan = inputs::plan(&model, &InputRequest::default()).ok()?;
    inputs::materialize(&plan, 1).ok().map(drop)
}

fn npz(folder: &Path, bytes: &[u8]) -> Option<()> {
    data(&written(folder, "data.npz", bytes), classes())
}

fn npy(folder: &Path, bytes: &[u8]) -> Option<()> {
    let array = written(folder, "data.npy", bytes);
    labels(&array).or(data(&array, classes()))
}

/// Also as the sequence and the optional value that another model takes.
fn pb(folder: &Path, bytes: &[u8]) -> Option<()> {
    static TENSOR: OnceLock<Model> = OnceLock::new();
    static SEQUENCE: OnceLock<Model> = OnceLock::new();
    let set = folder.join("test_data_set_0");
    fs::create_dir_all(&set).expect("the folder can be written to");
    for file in ["input_0.pb", "input_1.pb", "output_0.pb"] {
        written(&set, file, bytes);
    }
    let tensor = data(folder, own(&TENSOR, "fixtures/onnx-test-data/model.onnx"));
    data(folder, own(&SEQUENCE, "corpus/model/sequence.onnx")).or(tensor)
}

fn labels(array: &Path) -> Option<()> {
    let request = InputRequest {
        data: Some(models("corpus/npy/rows.npy")),
        labels: Some(array.to_owned()),
        ..InputRequest::default()
    };
    feed(classes(), &request)
}

/// A model of the repository, read once.
fn own(model: &'static OnceLock<Model>, path: &str) -> &'static Model {
    model.get_or_init(|| onnx::read(&models(path)).expect("the repository's own model can be read"))
}

/// The model that labelled rows are for.
fn classes() -> &'static Model {
    static CLASSES: OnceLock<Model> = OnceLock::new();
    own(&CLASSES, "fixtures/labels/classes.onnx")
}

fn data(data: &Path, model: &Model) -> Option<()> {
    feed(
        model,
        &InputRequest {
            data: Some(data.to_owned()),
            ..InputRequest::default()
        },
    )
}

fn feed(model: &Model, request: &InputRequest) -> Option<()> {
    let plan = inputs::plan(model, request).ok()?;
    let dataset = Dataset::open(&plan).ok()??;
    let _ = dataset.batch(0, dataset.len().min(BATCH));
    let _ = dataset.input_sets(1);
    for output in dataset.outputs() {
        let _ = dataset.expected(output, 0, 1);
    }
    Some(())
}

fn record(folder: &Path, bytes: &[u8]) -> Option<()> {
    render(&written(folder, "record.json", bytes))
}

fn journal(folder: &Path, bytes: &[u8]) -> Option<()> {
    let run = folder.join("run");
    fs::create_dir_all(&run).expect("the folder can be written to");
    written(&run, "journal.jsonl", bytes);
    render(&run)
}

/// The plan of a record.
fn plan(folder: &Path, bytes: &[u8]) -> Option<()> {
    let plan: Value = serde_json::from_slice(bytes).ok()?;
    let mut record: Value =
        serde_json::from_str(sound_text()).expect("the record of the corpus is JSON");
    record["plan"] = plan;
    render(&written(
        folder,
        "record.json",
        record.to_string().as_bytes(),
    ))
}

/// Every report of a run.
fn render(run: &Path) -> Option<()> {
    let record = store::load(run).ok()?;
    let findings = analysis::findings(&record);
    let view = Report::new(&record, &findings);
    let style = Style {
        color: Color::Never,
        glyphs: Glyphs::Ascii,
        width: Style::WIDTH,
    };
    let shown = report::terminal(&view, None, style);
    let acted_on = |c: char| c.is_control() && c != '\n';
    assert!(
        !shown.contains(acted_on),
        "a terminal would act on what is shown: {shown:?}"
    );
    report::markdown(&view).expect("the report can be written");
    export::cells_csv(&record, &findings, Names::Guarded).expect("the figures can be written");
    export::operators_csv(&record, Names::Guarded).expect("the nodes can be written");
    Some(())
}

fn trace(folder: &Path, bytes: &[u8]) -> Option<()> {
    let file = written(folder, "trace.json", bytes);
    let taken = [Counted::All, Counted::Typical].map(|counted| {
        let trace = trace::read(&file, counted).ok()?;
        export::trace_csv("trace", &trace.profiled, Names::Guarded)
            .expect("the nodes can be written");
        Some(())
    });
    taken[0]
}

fn rules(_: &Path, bytes: &[u8]) -> Option<()> {
    let rules = gate::rules(&String::from_utf8_lossy(bytes)).ok()?;
    let findings = analysis::findings(sound());
    let run = gate::Run {
        record: sound(),
        findings: &findings,
    };
    let against = gate::Against::Run { run, again: &[] };
    gate::gate(&rules, run, against.into()).ok().map(drop)
}

fn context(_: &Path, bytes: &[u8]) -> Option<()> {
    let context = Context::parse(&String::from_utf8_lossy(bytes)).ok()?;
    let findings = analysis::findings(sound());
    let beside = Beside {
        context,
        ..Beside::default()
    };
    let filled = Filled::new(sound(), &findings, &beside);
    report::full_markdown(&Report::new(sound(), &findings), &filled)
        .expect("the report can be written");
    Some(())
}

/// A line that a worker or its parent reads, and the histogram in it.
fn protocol(_: &Path, bytes: &[u8]) -> Option<()> {
    if let Ok(Request::Begin(cell)) = serde_json::from_slice(bytes) {
        let _ = (
            cell.inputs.supports_batch(cell.batch_size),
            cell.inputs.bytes(cell.batch_size),
            cell.inputs.output_bytes(cell.batch_size),
        );
    }
    match serde_json::from_slice(bytes).ok()? {
        Response::Began { histogram, .. } => Latencies::decode(&histogram).ok().map(drop),
        Response::Block(report) => Latencies::decode(&report.histogram).ok().map(drop),
        Response::Described(described) => {
            let _ = described.inputs.bytes(BATCH);
            Some(())
        }
        _ => Some(()),
    }
}

/// The text of a record that nothing is wrong with.
fn sound_text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        fs::read_to_string(models("corpus/record/profiled.json")).expect("the record is there")
    })
}

fn sound() -> &'static RunRecord {
    static RECORD: OnceLock<RunRecord> = OnceLock::new();
    RECORD.get_or_init(|| {
        store::load(&models("corpus/record/profiled.json")).expect("the record can be read")
    })
}
