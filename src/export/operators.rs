//! `operators.csv`: tidy, one row per node of a profile, in base units.

use crate::analysis::{self, Breakdown, NodeShare, OperatorGroup};
use crate::record::{NodeProfile, Profiled, RunRecord, TensorShape};
use crate::units::Bytes;

use super::cells::{digits, shape};
use super::names::Names;

/// The columns.
const HEADER: [&str; 21] = [
    "session",
    "batch_size",
    "node",
    "node_index",
    "operator",
    "execution_provider",
    "group",
    "calls",
    "time_ns",
    "share_ratio",
    "bytes",
    "activation_bytes",
    "parameter_bytes",
    "output_bytes",
    "arena_peak_bytes",
    "inputs",
    "outputs",
    "inferences_count",
    "shape",
    "operations_count",
    "operations_per_byte",
];

/// The table so far, and how texts stand in it.
struct Writer {
    csv: csv::Writer<Vec<u8>>,
    names: Names,
}

/// Of what a profile is.
#[derive(Default)]
struct Place {
    session: String,
    batch_size: String,
    shape: String,
}

/// The nodes of all profiles of a run, one row each, the longest of a profile first. `calls`, `time_ns` and `share_ratio`
/// are of one inference, sizes and operations of one call; what the profiler does not tell is an empty field. `shape` holds
/// the swept dimensions. Names stand on one line,
/// without anything that a terminal would act on, and `names` says what becomes of those that look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's, for a row of another length than the header.
pub fn operators_csv(record: &RunRecord, names: Names) -> Result<Vec<u8>, csv::Error> {
    let mut writer = begin(names)?;
    for found in &record.operators {
        let place = Place {
            session: names.field(&record.session_label(found.session)),
            batch_size: found.batch_size.to_string(),
            shape: record.plan.shapes.get(found.shape).map(|at| names.field(&shape(at))).unwrap_or_default(),
        };
        found.profile.iter().try_for_each(|profiled| write(&mut writer, &place, profiled))?;
    }
    end(writer)
}

/// The nodes of a trace called `name`, in the same columns.
///
/// # Errors
/// As [`operators_csv`].
pub fn trace_csv(name: &str, profiled: &Profiled, names: Names) -> Result<Vec<u8>, csv::Error> {
    let mut writer = begin(names)?;
    let place = Place { session: names.field(name), ..Place::default() };
    write(&mut writer, &place, profiled)?;
    end(writer)
}

fn begin(names: Names) -> Result<Writer, csv::Error> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(HEADER)?;
    Ok(Writer { csv, names })
}

fn end(writer: Writer) -> Result<Vec<u8>, csv::Error> {
    writer.csv.into_inner().map_err(|error| error.into_error().into())
}

fn write(writer: &mut Writer, place: &Place, profiled: &Profiled) -> Result<(), csv::Error> {
    let breakdown = Breakdown::of(profiled);
    breakdown.nodes.iter().try_for_each(|share| {
        let node = &profiled.nodes[share.node];
        let row = row(share, node, profiled.inferences_count, writer.names);
        let work = work(node);
        let place_first = [&place.session, &place.batch_size].into_iter();
        writer.csv.write_record(place_first.chain(&row).chain([&place.shape]).chain(&work))
    })
}

fn row(share: &NodeShare, node: &NodeProfile, inferences_count: u64, names: Names) -> [String; 16] {
    let size = |bytes: Option<Bytes>| bytes.map(|bytes| bytes.0.to_string()).unwrap_or_default();
    [
        names.field(node.name.exact()),
        node.node_index.map(|index| index.to_string()).unwrap_or_default(),
        names.field(node.operator.exact()),
        names.field(node.execution_provider.exact()),
        group(share.group).into(),
        digits(share.calls),
        node.time_ns.0.to_string(),
        digits(share.share.0),
        size(node.bytes()),
        size(node.activation_bytes),
        size(node.parameter_bytes),
        size(node.output_bytes),
        size(node.arena_peak_bytes),
        names.field(&shapes(node.inputs.as_deref())),
        names.field(&shapes(node.outputs.as_deref())),
        inferences_count.to_string(),
    ]
}

/// Operations of one call, and for each byte that it reads or writes.
fn work(node: &NodeProfile) -> [String; 2] {
    let operations = analysis::work(node).ok().map(|work| work.operations_count);
    let of_byte = operations.zip(node.bytes()).map(|(operations, bytes)| operations as f64 / bytes.as_f64().max(1.0));
    [operations.map(|count| count.to_string()).unwrap_or_default(), of_byte.map(digits).unwrap_or_default()]
}

fn group(group: OperatorGroup) -> &'static str {
    match group {
        OperatorGroup::Matrix => "matrix",
        OperatorGroup::Conversion => "conversion",
        OperatorGroup::Other => "other",
    }
}

/// `float[1,32,8,8];int64[]`.
fn shapes(tensors: Option<&[TensorShape]>) -> String {
    let shape = |tensor: &TensorShape| {
        let dims: Vec<String> = tensor.dims.iter().map(u64::to_string).collect();
        format!("{}[{}]", tensor.element_type, dims.join(","))
    };
    tensors.unwrap_or_default().iter().map(shape).collect::<Vec<_>>().join(";")
}
