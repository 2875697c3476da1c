use super::*;
use crate::analysis::Interval;
use crate::plan::ExecutionMode;
use crate::record::Profiled;
use crate::units::{Bytes, Nanos, Ratio};

fn node(name: &str, operator: &str, calls_count: u64, time_ns: u64) -> NodeProfile {
    NodeProfile {
        name: name.into(),
        operator: operator.into(),
        calls_count,
        time_ns: Nanos(time_ns),
        activation_bytes: Some(Bytes(100)),
        parameter_bytes: Some(Bytes(20)),
        output_bytes: Some(Bytes(8)),
        arena_peak_bytes: Some(Bytes(time_ns)),
        ..NodeProfile::default()
    }
}

/// Ten inferences of 100 µs, 90 of them in nodes.
fn profiled() -> Profiled {
    Profiled {
        inferences_count: 10,
        mean_inference_ns: Nanos(100_000),
        distortion_ratios: vec![1.05, 1.04, 1.06, 1.05, 1.05, 1.05],
        nodes: vec![
            node("a", "Conv", 10, 30_000),
            node("b", "Cast", 10, 9_000),
            node("c", "Conv", 10, 45_000),
            node("d", "Relu", 40, 6_000),
        ],
        ..Profiled::default()
    }
}

#[test]
fn time_is_shared_out_by_operator_group_and_node() {
    let found = Breakdown::of(&profiled());
    assert_eq!(
        found
            .by_operator
            .iter()
            .map(|it| (
                it.operator.exact(),
                it.nodes_count,
                it.calls,
                it.portion.time_ns.0
            ))
            .collect::<Vec<_>>(),
        [
            ("Conv", 2, 2.0, 75_000),
            ("Cast", 1, 1.0, 9_000),
            ("Relu", 1, 4.0, 6_000)
        ]
    );
    assert_eq!(found.by_operator[0].portion.share, Ratio(75.0 / 90.0));
    assert_eq!(found.by_operator[2].bytes, Some(Bytes(4 * 128)));
    assert_eq!(
        found
            .by_group
            .iter()
            .map(|it| (it.group, it.portion.time_ns.0))
            .collect::<Vec<_>>(),
        [
            (OperatorGroup::Matrix, 75_000),
            (OperatorGroup::Conversion, 9_000),
            (OperatorGroup::Other, 6_000)
        ]
    );
    assert_eq!(
        found.nodes.iter().map(|it| it.node).collect::<Vec<_>>(),
        [2, 0, 1, 3]
    );
    assert_eq!(found.arena_peak_bytes, Some(Bytes(45_000)));
}

#[test]
fn time_between_nodes_is_what_they_leave_unless_they_overlap() {
    let found = Breakdown::of(&profiled());
    let expected = Rest::Between {
        portion: Portion {
            time_ns: Nanos(10_000),
            share: Ratio(0.1),
            bounds: None,
        },
        truncated_at_most_ns: Nanos(7_000),
    };
    assert_eq!(found.rest, expected);
    let profiled = Profiled {
        mean_inference_ns: Nanos(45_000),
        ..profiled()
    };
    assert_eq!(Breakdown::of(&profiled).rest, Rest::Overlap { factor: 2.0 });
}

/// The same with an inference of 100 µs that takes `with_ns` with the profiler.
fn distorted(with_ns: u64) -> Profiled {
    Profiled {
        mean_inference_ns: Nanos(with_ns),
        unprofiled_ns: Some(Nanos(100_000)),
        distortion_ratios: vec![with_ns as f64 / 100_000.0; 6],
        ..profiled()
    }
}

fn without_profiler(profiled: &Profiled, timed_ns: Option<f64>) -> Breakdown {
    Breakdown::without_profiler(profiled, ExecutionMode::Sequential, timed_ns)
}

#[test]
fn times_are_those_of_the_timed_launches_less_what_the_profiler_adds() {
    let found = without_profiler(&distorted(114_000), Some(50_000.0));
    assert_eq!(
        (found.level, found.inference_ns.0),
        (TimeLevel::Timed, 50_000)
    );
    // Of 14 us more, half lies in seven runs of nodes: a microsecond each, less the half that was
    // cut off. The timed launches are twice as fast.
    let conv = found.by_operator[0].portion;
    assert_eq!((conv.time_ns.0, conv.bounds), (74_000 / 2, None));
    assert_eq!(found.nodes_ns.0, (90_000 - 7 * 500) / 2);
    let Rest::Between { portion, .. } = found.rest else {
        panic!("{:?}", found.rest)
    };
    assert_eq!(portion.time_ns.0, 50_000 - found.nodes_ns.0);
    // Without timed launches they are those of the profiled launch, and of a trace as they are.
    let alone = without_profiler(&distorted(114_000), None);
    assert_eq!(
        (alone.level, alone.by_operator[0].portion.time_ns.0),
        (TimeLevel::Unprofiled, 74_000)
    );
    assert_eq!(
        without_profiler(&profiled(), None),
        Breakdown::of(&profiled())
    );
}

#[test]
fn beyond_twice_the_time_shares_are_ranges_that_hold_what_a_node_takes() {
    let profiled = distorted(240_000);
    let found = without_profiler(&profiled, None);
    for share in &found.by_operator {
        let PortionBounds { time_ns, share: of } = share.portion.bounds.unwrap();
        assert!(
            (time_ns.low..=time_ns.high).contains(&share.portion.time_ns.as_f64())
                && (of.low..=of.high).contains(&share.portion.share.0)
                && of.low < of.high,
            "{share:?}"
        );
    }
    assert!(found.is_told() && found.by_operator[0].portion.sure_ns() > 50_000.0);
    assert_eq!(
        without_profiler(&distorted(190_000), None).by_operator[0]
            .portion
            .bounds,
        None
    );
}

#[test]
fn without_an_inference_beside_it_a_profile_that_takes_over_twice_as_long_tells_nothing() {
    let twice = without_profiler(&profiled(), Some(50_000.0));
    assert_eq!(
        (twice.level, twice.by_operator[0].portion.time_ns.0),
        (TimeLevel::Timed, (75_000 + 1_000) / 2)
    );
    let found = without_profiler(
        &Profiled {
            distortion_ratios: Vec::new(),
            ..profiled()
        },
        Some(40_000.0),
    );
    assert!(
        !found.is_told() && found.by_operator.iter().all(|it| !it.portion.is_known()),
        "{found:?}"
    );
}

#[test]
fn distortion_is_a_figure_or_absent() {
    let [found, few, faster, none] = [&profiled().distortion_ratios[..], &[1.2], &[0.38; 6], &[]]
        .map(|ratios| {
            Breakdown::of(&Profiled {
                distortion_ratios: ratios.to_vec(),
                ..profiled()
            })
            .distortion
        });
    assert_eq!(found.value(), Some(1.05));
    let Interval { low, high } = found.interval().unwrap();
    assert!(low >= 1.04 && high <= 1.06, "{found:?}");
    assert!(few.interval().is_none() && few.measured().unwrap().remark.is_some());
    assert!(
        faster
            .absent_reason()
            .unwrap()
            .contains("took no less time"),
        "{faster:?}"
    );
    assert_eq!(none.value(), None);
}

#[test]
fn bytes_are_unknown_where_one_node_does_not_tell_and_without_time_there_are_no_shares() {
    let mut profiled = profiled();
    profiled.nodes[2].output_bytes = None;
    assert_eq!(Breakdown::of(&profiled).by_operator[0].bytes, None);
    for node in &mut profiled.nodes {
        node.time_ns = Nanos(0);
    }
    let mut operators = Breakdown::of(&profiled).by_operator.into_iter();
    assert!(operators.all(|it| it.portion.share == Ratio(0.0)));
}

#[test]
fn operators_that_appear_vanish_or_change_in_number_are_told() {
    let operators = [
        ("Conv", 3),
        ("Relu", 1),
        ("com.microsoft.Gelu", 2),
        ("Constant", 5),
    ];
    let operators = operators.map(|(name, count)| (name.into(), count));
    let change = GraphChange::of(&operators.into(), &profiled().nodes);
    let conv = CountChange {
        in_file_count: 3,
        as_run_count: 2,
    };
    let expected = GraphChange {
        in_file_count: 11,
        as_run_count: 4,
        appeared: [("Cast".into(), 1)].into(),
        vanished: [("Constant".into(), 5), ("Gelu".into(), 2)].into(),
        changed: [("Conv".into(), conv)].into(),
    };
    assert_eq!(change, expected);
}
