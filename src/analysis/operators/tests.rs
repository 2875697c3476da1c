use super::*;
use crate::analysis::Interval;
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
            .map(|it| (it.operator.exact(), it.nodes_count, it.calls, it.time_ns.0))
            .collect::<Vec<_>>(),
        [
            ("Conv", 2, 2.0, 75_000),
            ("Cast", 1, 1.0, 9_000),
            ("Relu", 1, 4.0, 6_000)
        ]
    );
    assert_eq!(found.by_operator[0].share, Ratio(75.0 / 90.0));
    assert_eq!(found.by_operator[2].bytes, Some(Bytes(4 * 128)));
    assert_eq!(
        found
            .by_group
            .iter()
            .map(|it| (it.group, it.time_ns.0))
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
        time_ns: Nanos(10_000),
        share: Ratio(0.1),
        truncated_at_most_ns: Nanos(7_000),
    };
    assert_eq!(found.rest, expected);
    let profiled = Profiled {
        mean_inference_ns: Nanos(45_000),
        ..profiled()
    };
    assert_eq!(Breakdown::of(&profiled).rest, Rest::Overlap { factor: 2.0 });
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
    assert!(operators.all(|it| it.share == Ratio(0.0)));
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
