//! Numbers that no sum, product or quotient holds: sizes are not known then, and nothing else comes
//! of it.

use super::*;

#[test]
fn what_no_number_holds_is_unknown() {
    let (least, most) = (number(i64::MIN), number(i64::MAX));
    for unknown in [
        most.plus(&most),
        most.times(&most),
        least.over(&number(-1)),
        least.times(&number(-1)),
    ] {
        assert_eq!(unknown, Expr::Unknown);
    }
    let quotient = Expr::Quotient(Box::new(least.clone()), Box::new(number(-1)));
    assert_eq!(
        (quotient.evaluate(&|_| None), quotient.replaced(&|_| None)),
        (None, Expr::Unknown)
    );
    let sum = Expr::Dim(0).plus(&least).over(&number(-1));
    assert_eq!(sum.evaluate(&|_| Some(0)), None);
    assert_eq!(
        Expr::Dim(0).over_up(i64::MAX).evaluate(&|_| Some(1)),
        Some(1)
    );
}

#[test]
fn slices_that_go_back_over_nothing_or_in_any_step_have_their_size() {
    for (size, start, end, step, left) in [
        (0, 5.0, 0.0, -1.0, 0),
        (0, -3.0, -8e15, -8e15, 0),
        (5, 8e15, -8e15, -1.0, 5),
        (5, 3.0, -8e15, -2.0, 2),
        (5, 4.0, 0.0, -8e15, 1),
        (5, 0.0, 4.0, -1.0, 0),
    ] {
        let facts = floats("x", &[size, 2])
            .whole("start", &[start])
            .whole("end", &[end])
            .whole("axis", &[0.0])
            .whole("step", &[step])
            .node("y = Slice x start end axis step")
            .facts();
        assert_eq!(
            sizes(&facts, &[]),
            known(&[left, 2]),
            "{size} {start} {end} {step}"
        );
    }
}

#[test]
fn a_number_has_no_axis_to_work_along() {
    for node in [
        "y = ArgMax x",
        "y = TopK x count",
        "y = Compress x count axis=0",
        "y, z = Split x axis=0",
        "y = Gather x count",
        "y = Concat x x axis=0",
    ] {
        let facts = floats("x", &[]).whole("count", &[1.0]).node(node).facts();
        assert_eq!(facts.outputs["y"], None, "{node}");
    }
}

#[test]
fn stored_numbers_that_no_size_holds_bound_nothing() {
    for largest in [9e15, u64::MAX as f64, f64::INFINITY] {
        let facts = floats("x", &[4, 2])
            .stored(testing::stored(
                "table",
                ElementType::Uint64,
                &[2],
                Some(&[1.0, largest]),
            ))
            .node("y = Gather x table")
            .facts();
        assert_eq!(sizes(&facts, &[]), known(&[2, 2]), "{largest}");
    }
}

#[test]
fn windows_of_any_numbers_are_followed() {
    let extremes = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX];
    for number in extremes {
        for other in extremes {
            let attributes = format!(
                "kernel_shape={number},3 strides={other},2 dilations={other},1 \
                 pads={number},{other},{number},0 output_padding={other},{number} \
                 group={number} ceil_mode=1"
            );
            for operator in ["MaxPool x", "Conv x w", "ConvTranspose x w"] {
                let facts = floats("x", &[-1, 4, 9, -2])
                    .weight("w", &[8, 4, 3, 3])
                    .node(&format!("y = {operator} {attributes}"))
                    .facts();
                assert_eq!(
                    sizes(&facts, &[2, 9]).map(|sizes| sizes.len()),
                    Some(4),
                    "{operator} {number} {other}"
                );
            }
        }
    }
}

#[test]
fn reversed_shapes_and_ranges_of_any_step_are_followed() {
    for step in [-8e15, -1.0, 8e15] {
        let facts = floats("x", &[-1, 3, 4])
            .whole("start", &[8e15])
            .whole("end", &[8e15])
            .whole("axis", &[0.0])
            .whole("step", &[step])
            .scalar("from", 0.0)
            .scalar("to", 3.0 * step)
            .scalar("by", step)
            .node("s = Shape x")
            .node("none = Slice s start end axis step")
            .node("r = Range from to by")
            .facts();
        let made = sizes(&facts, &[2]);
        assert!(
            made.is_none_or(|made| made == [Some(3)] || made == [None::<i64>]),
            "{step}"
        );
    }
}
