//! The resource that a bottleneck is for want of, as far as that was measured, and what can be done
//! about it.

use super::device;
use crate::analysis::{BUSY_SHARE, Bottleneck, BottleneckKind, Bound};
use crate::metric::Metric;
use crate::plan::GraphOptimization;
use crate::report::words::{Source, not_measured, number};
use crate::text::Plain;
use crate::units::{Bytes, Ratio};

/// Operators of this share of the time decide what the session as a whole is for want of.
const MOST_SHARE: f64 = 0.5;

pub(super) fn constraint(source: Source<'_>, found: &Bottleneck) -> String {
    match &found.kind {
        BottleneckKind::NotFiniteOutputs { .. } => {
            "none: numerical range of the variant's type".into()
        }
        BottleneckKind::SlowerThanBaseline { .. } => {
            "the operators that changed, as far as they were profiled: the section that begins with Why names them"
                .into()
        }
        BottleneckKind::IdleThreads { others_ratio, .. } => match others_ratio {
            Some(share) => format!(
                "CPU: other processes took {} of all CPUs' time",
                number::share(share.0)
            ),
            None => "CPU, in part: why the rest was idle was not measured".into(),
        },
        BottleneckKind::ThroughputSaturates {
            utilization,
            memory_bound,
            ..
        } => saturated(*utilization, *memory_bound),
        BottleneckKind::ThroughputFalls { .. } => {
            "what went along with it stands under Batch size and shape".into()
        }
        BottleneckKind::DominatingOperator { bound, .. } => match bound {
            Ok(bound) => of_bound(*bound).into(),
            Err(reason) => not_measured(reason),
        },
        BottleneckKind::InefficientKernel { .. } => {
            "CPU: the kernel, not the arithmetic that it does".into()
        }
        BottleneckKind::Conversions { .. } => of_bound(Bound::Conversion).into(),
        BottleneckKind::SmallNodes { .. } => of_bound(Bound::Overhead).into(),
        BottleneckKind::Device { verdict, .. } => device::constraint(*verdict).into(),
        BottleneckKind::LoadTime { part, .. } => loading(source, found.session, *part),
        BottleneckKind::ModelMemory { .. } => "memory".into(),
    }
}

fn of_bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "CPU: arithmetic",
        Bound::Memory => "memory bandwidth",
        Bound::FarFromBoth => {
            "neither arithmetic nor memory bandwidth: its kernel, threads or overhead"
        }
        Bound::Overhead => "CPU: the fixed cost of starting a node",
        Bound::Conversion => "CPU: changes of precision, layout or device",
    }
}

/// Memory comes first: threads that wait for it, or for each other, are busy to the kernel.
fn saturated(utilization: Option<f64>, memory_bound: Option<Ratio>) -> String {
    let most = memory_bound.filter(|share| share.0 >= MOST_SHARE);
    let busy = utilization.filter(|&used| used >= BUSY_SHARE);
    match (most, busy, memory_bound) {
        (Some(share), ..) => format!(
            "memory bandwidth: it limits operators with {} of the time there",
            number::share(share.0)
        ),
        (None, Some(used), _) => format!("CPU: {} in use there", number::share(used)),
        (None, None, Some(share)) => format!(
            "not known: the CPUs were not all in use, and memory limits operators with {} of the time there",
            number::share(share.0)
        ),
        (None, None, None) => {
            not_measured("the CPUs were not all in use, and no operators were profiled there")
        }
    }
}

fn loading(source: Source<'_>, session: usize, part: Metric) -> String {
    let launches = source.record.launches.iter();
    let read: Vec<Bytes> = launches
        .filter(|launch| launch.session == session && launch.session_load_ns.is_some())
        .filter_map(|launch| launch.load_storage_read_bytes)
        .collect();
    match read.iter().max() {
        Some(Bytes(0)) if part == Metric::SessionLoad => {
            "not storage: nothing was read from it while the session was created".into()
        }
        Some(most) if part == Metric::SessionLoad => format!(
            "CPU and storage: up to {} were read from it",
            number::bytes(*most)
        ),
        Some(_) | None => not_measured("storage was observed while sessions were created alone"),
    }
}

pub(super) fn opportunity(source: Source<'_>, found: &Bottleneck) -> String {
    match &found.kind {
        BottleneckKind::NotFiniteOutputs { .. } => {
            "keep the operators that overflow in a wider type, or calibrate again; do not ship it before".into()
        }
        BottleneckKind::SlowerThanBaseline { .. } => {
            "leave this variant out on this machine, unless what makes it slower can be undone".into()
        }
        BottleneckKind::IdleThreads { others_ratio, .. } => match others_ratio {
            Some(_) => "end other work on the machine and measure again, before anything is concluded of threads".into(),
            None => "compare fewer intra-op threads, and several requests in flight instead".into(),
        },
        BottleneckKind::ThroughputSaturates { .. } => {
            "use the batch size named; larger ones only add latency".into()
        }
        BottleneckKind::ThroughputFalls { .. } => {
            "stay at the best batch size and split larger requests".into()
        }
        BottleneckKind::DominatingOperator { bound, .. } => match bound {
            Ok(bound) => against(source, found.session, *bound),
            Err(_) => "its kernel or its precision; anything else is small".into(),
        },
        BottleneckKind::InefficientKernel { operator, .. } => better_kernel(operator).into(),
        BottleneckKind::Conversions { .. } => {
            "keep the operators between two conversions in one precision and layout, so that they cancel out".into()
        }
        BottleneckKind::SmallNodes { .. } => against(source, found.session, Bound::Overhead),
        BottleneckKind::Device { verdict, .. } => device::opportunity(source, found.session, *verdict),
        BottleneckKind::LoadTime { part, .. } if *part == Metric::SessionLoad => {
            "load before traffic arrives; whether an optimized model that was saved loads faster was not measured".into()
        }
        BottleneckKind::LoadTime { .. } => "load before traffic arrives".into(),
        BottleneckKind::ModelMemory { .. } => {
            "compare with weights prepacked once, or with the memory arena off; not measured here".into()
        }
    }
}

/// ONNX Runtime's convolutions in whole numbers that are quantized as the model runs have a kernel
/// of their own, without the packed weights and fused scales of static ones.
fn better_kernel(operator: &Plain) -> &'static str {
    match operator.exact() {
        "ConvInteger" => "quantize convolutions statically (QDQ)",
        _ => "compare another format or type of quantization, which has another kernel",
    }
}

fn against(source: Source<'_>, session: usize, bound: Bound) -> String {
    let larger_batches = source.record.takes_larger_batches(session);
    let level = source.record.plan.sessions[session]
        .options
        .graph_optimization;
    match bound {
        Bound::Compute => {
            "fewer or cheaper operations: a narrower type with a kernel of its own, or a smaller model".into()
        }
        Bound::Memory if larger_batches => {
            "fewer bytes: a narrower type of weights, or larger batches, which share the weights".into()
        }
        Bound::Memory => "fewer bytes: a narrower type of weights".into(),
        Bound::FarFromBoth => {
            "compare graph optimization levels and numbers of threads, which decide which kernels run and how".into()
        }
        Bound::Overhead => fewer_nodes(level, larger_batches),
        Bound::Conversion => "fewer conversions".into(),
    }
}

/// Ways that are open: not larger batches of a model that fixes its own, nor more optimization than
/// all there is.
fn fewer_nodes(level: GraphOptimization, larger_batches: bool) -> String {
    let ways = [
        larger_batches.then_some("larger batches"),
        (level != GraphOptimization::All)
            .then_some("a higher graph optimization level, which fuses them"),
        Some("a model file whose operators do more each"),
    ];
    let ways: Vec<&str> = ways.into_iter().flatten().collect();
    format!("fewer nodes for the same work: {}", ways.join(", or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_limits_throughput_is_said_by_what_was_measured_there_alone() {
        for (utilization, memory_bound, expected) in [
            (
                Some(0.99),
                Some(0.7),
                "memory bandwidth: it limits operators with 70.0% of the time there",
            ),
            (Some(0.98), Some(0.1), "CPU: 98.0% in use there"),
            (Some(0.98), None, "CPU: 98.0% in use there"),
            (
                Some(0.4),
                Some(0.1),
                "not known: the CPUs were not all in use, and memory limits operators with 10.0% of the time there",
            ),
            (
                Some(0.4),
                None,
                "not measured: the CPUs were not all in use, and no operators were profiled there",
            ),
        ] {
            let found = saturated(utilization, memory_bound.map(Ratio));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn neither_batches_nor_optimization_are_named_where_there_are_none() {
        let all = "a model file whose operators do more each";
        for (level, larger_batches, expected) in [
            (GraphOptimization::All, false, all.to_owned()),
            (
                GraphOptimization::All,
                true,
                format!("larger batches, or {all}"),
            ),
            (
                GraphOptimization::Basic,
                false,
                format!("a higher graph optimization level, which fuses them, or {all}"),
            ),
        ] {
            let found = fewer_nodes(level, larger_batches);
            assert_eq!(found, format!("fewer nodes for the same work: {expected}"));
        }
    }

    #[test]
    fn dynamic_convolutions_are_to_be_quantized_statically() {
        assert_eq!(
            better_kernel(&"ConvInteger".into()),
            "quantize convolutions statically (QDQ)"
        );
        assert!(!better_kernel(&"QGemm".into()).contains("statically"));
    }
}
