//! `operators.csv`: tidy, one row per node of a profile, in base units.

use serde::Serialize;

use super::cells::shape;
use super::table::{Digits, Names, table};
use crate::analysis::{self, Breakdown, NodeShare, NodeTimes, OperatorGroup};
use crate::record::{NodeProfile, OperatorProfile, Profiled, RunRecord, TensorShape};
use crate::units::{Bytes, Nanos};

#[derive(Clone, Default, Serialize)]
struct Row {
    session: String,
    batch_size: Option<u64>,
    node: String,
    node_index: Option<u64>,
    operator: String,
    execution_provider: String,
    group: Option<OperatorGroup>,
    calls: Option<Digits>,
    time_ns: Nanos,
    share_ratio: Option<Digits>,
    bytes: Option<Bytes>,
    activation_bytes: Option<Bytes>,
    parameter_bytes: Option<Bytes>,
    output_bytes: Option<Bytes>,
    arena_peak_bytes: Option<Bytes>,
    inputs: String,
    outputs: String,
    inferences_count: u64,
    shape: String,
    operations_count: Option<u64>,
    operations_per_byte: Option<Digits>,
    times: Option<NodeTimes>,
    host_time_ns: Nanos,
}

/// The nodes of all profiles of a run, one row each, the longest of a profile first. `calls`,
/// `time_ns` and `share_ratio` are of one inference, sizes and operations of one call; what the
/// profiler does not tell is an empty field. `times` says what `time_ns` is a time of: of the `host`, of
/// the host that is `handing_over` work to a device, or of the `device` for nodes that ran there;
/// `host_time_ns` is of the host. `shape` holds the swept dimensions. Names stand on one
/// line, without anything that a terminal would act on, and `names` says what becomes of those that
/// look like formulas.
///
/// # Errors
/// Writing into memory does not fail; the error is the `csv` crate's.
pub fn operators_csv(record: &RunRecord, names: Names) -> Result<Vec<u8>, csv::Error> {
    table(record.operators.iter().flat_map(|found| {
        let base = Row::of(record, found, names);
        found
            .profile
            .iter()
            .flat_map(move |profiled| rows(&base, profiled, names))
    }))
}

/// The nodes of a trace called `name`, in the same columns.
///
/// # Errors
/// As [`operators_csv`].
pub fn trace_csv(name: &str, profiled: &Profiled, names: Names) -> Result<Vec<u8>, csv::Error> {
    table(rows(
        &Row {
            session: names.field(name),
            ..Row::default()
        },
        profiled,
        names,
    ))
}

fn rows(base: &Row, profiled: &Profiled, names: Names) -> Vec<Row> {
    let base = Row {
        inferences_count: profiled.inferences_count,
        ..base.clone()
    };
    let breakdown = Breakdown::of(profiled);
    let base = Row {
        times: Some(breakdown.times),
        ..base
    };
    breakdown
        .nodes
        .iter()
        .map(|share| base.clone().with(share, &profiled.nodes[share.node], names))
        .collect()
}

impl Row {
    fn of(record: &RunRecord, found: &OperatorProfile, names: Names) -> Self {
        Row {
            session: names.field(&record.session_label(found.session)),
            batch_size: Some(found.batch_size),
            shape: record
                .plan
                .shapes
                .get(found.shape)
                .map(|at| names.field(&shape(at)))
                .unwrap_or_default(),
            ..Row::default()
        }
    }

    fn with(self, share: &NodeShare, node: &NodeProfile, names: Names) -> Self {
        let operations_count = analysis::work(node).ok().map(|work| work.operations_count);
        let bytes = analysis::bytes(node).ok();
        Row {
            node: names.field(node.name.exact()),
            node_index: node.node_index,
            operator: names.field(node.operator.exact()),
            execution_provider: names.field(node.execution_provider.exact()),
            group: Some(share.group),
            calls: Some(Digits(share.calls)),
            time_ns: share.portion.time_ns,
            host_time_ns: share.host_ns,
            share_ratio: Some(Digits(share.portion.share.0)),
            bytes,
            activation_bytes: node.activation_bytes,
            parameter_bytes: node.parameter_bytes,
            output_bytes: node.output_bytes,
            arena_peak_bytes: node.arena_peak_bytes,
            inputs: names.field(&shapes(node.inputs.as_deref())),
            outputs: names.field(&shapes(node.outputs.as_deref())),
            operations_count,
            operations_per_byte: operations_count
                .zip(bytes)
                .map(|(operations, bytes)| Digits(operations as f64 / bytes.as_f64().max(1.0))),
            ..self
        }
    }
}

/// `float[1,32,8,8];int64[]`.
fn shapes(tensors: Option<&[TensorShape]>) -> String {
    tensors
        .unwrap_or_default()
        .iter()
        .map(|tensor| {
            let dims: Vec<String> = tensor.dims.iter().map(u64::to_string).collect();
            format!("{}[{}]", tensor.element_type, dims.join(","))
        })
        .collect::<Vec<_>>()
        .join(";")
}
