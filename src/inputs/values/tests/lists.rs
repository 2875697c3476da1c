//! Inputs that list a number for each axis.

use super::*;

const IMAGE: [u64; 4] = [0, 3, 32, 48];
const INT: ElementType = ElementType::Int64;

fn kinds(data: &[u64], nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> Vec<FillKind> {
    beside(data, nodes, element_type, dims)
        .into_iter()
        .map(|fill| fill.kind)
        .collect()
}

/// The best way to fill `x1`, which has so many numbers, where one node reads it beside an image.
fn best(node: Node, element_type: ElementType, count: u64) -> FillKind {
    kinds(&IMAGE, vec![node], element_type, &[count]).swap_remove(0)
}

fn columns(numbers: &[f64]) -> FillKind {
    FillKind::Columns(numbers.iter().copied().map(FillKind::Constant).collect())
}

/// The sizes of the image, of which the first follows the batch.
fn of_image() -> FillKind {
    let numbers = [3.0, 32.0, 48.0].map(FillKind::Constant);
    FillKind::Columns(
        [FillKind::PerSample(1)]
            .into_iter()
            .chain(numbers)
            .collect(),
    )
}

fn axes(node: Node, axes: &[i64]) -> Node {
    with(node, "axes", AttributeValue::Integers(axes.to_vec()))
}

#[test]
fn sizes_are_those_of_the_data_and_of_the_batch() {
    let resize = || node("Resize", &["x0", "", "", "x1"], "y");
    let found = beside(&IMAGE, vec![resize()], INT, &[4]);
    assert_eq!(
        found
            .iter()
            .map(|fill| fill.kind.clone())
            .collect::<Vec<_>>(),
        [of_image(), FillKind::Constant(1.0)]
    );
    assert!(
        found[0].steers && found[0].reason.contains("the sizes in Resize `Resize_y`"),
        "{}",
        found[0].reason
    );
    let narrow = vec![
        cast("x1", INT32, "n"),
        node("Resize", &["x0", "", "", "n"], "y"),
    ];
    assert_eq!(kinds(&IMAGE, narrow, INT, &[1, 4])[0], of_image());
    // No axis is that of the batch.
    assert_eq!(
        kinds(&[1, 3, 32, 48], vec![resize()], INT, &[4])[0],
        columns(&[1.0, 3.0, 32.0, 48.0])
    );
    assert_eq!(
        best(axes(resize(), &[2, 3]), INT, 2),
        columns(&[32.0, 48.0])
    );
    assert_eq!(
        best(axes(resize(), &[-1, 1]), INT, 2),
        columns(&[48.0, 3.0])
    );
    assert_eq!(
        best(
            axes(node("CenterCropPad", &["x0", "x1"], "y"), &[3, 2]),
            INT,
            2
        ),
        columns(&[48.0, 32.0])
    );
    // Nothing is known of the data: no size is that of samples, channels and space at once.
    let unknown = vec![
        node("Mystery", &["x0"], "m"),
        node("Resize", &["m", "", "", "x1"], "y"),
    ];
    assert_eq!(kinds(&IMAGE, unknown, INT, &[4]), [FillKind::Constant(1.0)]);
}

#[test]
fn sizes_are_found_behind_others_in_a_joined_list() {
    let head = || {
        vec![
            node("Shape", &["x0"], "shape"),
            node("Slice", &["shape", "zero", "space"], "head"),
        ]
    };
    let with_head =
        |more: Vec<Node>| kinds(&IMAGE, [head(), more].concat(), INT, &[2]).swap_remove(0);
    let resize = || node("Resize", &["x0", "", "", "list"], "y");
    let joined = node("Concat", &["head", "x1"], "list");
    assert_eq!(with_head(vec![joined, resize()]), columns(&[32.0, 48.0]));
    let turned = vec![
        node("Gather", &["x1", "zero"], "width"),
        node("Unsqueeze", &["width", "zero"], "w"),
        node("Slice", &["x1", "step", "space"], "h"),
        node("Reshape", &["h", "step"], "one"),
        node("Concat", &["head", "one", "w"], "list"),
        resize(),
    ];
    assert_eq!(with_head(turned), columns(&[48.0, 32.0]));
}

#[test]
fn sizes_in_a_row_are_told_apart_from_the_row_itself() {
    let resize = || axes(node("Resize", &["x0", "", "", "list"], "y"), &[2, 3]);
    let along = |operator: &str, axis: i64| {
        let node = node(operator, &["x1", "zero"], "list");
        with(node, "axis", AttributeValue::Integers(vec![axis]))
    };
    let row = |nodes: Vec<Node>| kinds(&IMAGE, nodes, INT, &[1, 2]).swap_remove(0);
    assert_eq!(
        row(vec![along("Gather", 0), resize()]),
        columns(&[32.0, 48.0]),
        "the row"
    );
    // One of its numbers, of which the other is read by nothing.
    let first = axes(node("Resize", &["x0", "", "", "list"], "y"), &[3]);
    assert_eq!(row(vec![along("Gather", -1), first]), columns(&[48.0, 1.0]));
}

#[test]
fn lists_that_are_joined_with_themselves_come_to_an_end() {
    let join = |from: [&str; 2], to: &str| node("Concat", &from, to);
    let resize = |list: &str| node("Resize", &["x0", "", "", list], "y");
    let circle = vec![join(["x1", "list"], "list"), resize("list")];
    assert!(!kinds(&IMAGE, circle, INT, &[2]).is_empty());
    let names: Vec<String> = (0..60).map(|place| format!("v{place}")).collect();
    let mut doubled = vec![join(["x1", "x1"], "v0"), resize("v59")];
    doubled.extend(
        names
            .windows(2)
            .map(|pair| join([&pair[0], &pair[0]], &pair[1])),
    );
    assert!(!kinds(&IMAGE, doubled, INT, &[2]).is_empty());
}

#[test]
fn scales_are_one_for_samples_and_channels() {
    let resize = |list: &[&str]| node("Resize", list, "y");
    let found = kinds(
        &IMAGE,
        vec![resize(&["x0", "", "x1"])],
        ElementType::Float,
        &[4],
    );
    assert_eq!(
        found,
        [columns(&[1.0, 1.0, 2.0, 2.0]), FillKind::Constant(1.0)]
    );
    assert_eq!(
        best(node("Upsample", &["x0", "x1"], "y"), ElementType::Float, 4),
        columns(&[1.0, 1.0, 2.0, 2.0])
    );
    let last = kinds(
        &[0, 32, 48, 3],
        vec![resize(&["x0", "", "x1"])],
        ElementType::Float,
        &[4],
    );
    assert_eq!(last[0], columns(&[1.0, 2.0, 2.0, 1.0]));
    let some = axes(resize(&["x0", "", "x1"]), &[2, 3]);
    assert_eq!(best(some, ElementType::Float, 2), FillKind::Constant(2.0));
    let region = columns(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(
        best(resize(&["x0", "x1", "scales"]), ElementType::Float, 8),
        region
    );
}

#[test]
fn slices_end_where_each_axis_does() {
    assert_eq!(
        best(node("Slice", &["x0", "zeros", "x1", "space"], "y"), INT, 2),
        columns(&[32.0, 48.0])
    );
    assert_eq!(
        best(node("Slice", &["x0", "zeros", "x1"], "y"), INT, 4),
        of_image()
    );
    let unknown = vec![
        node("Mystery", &["x0"], "m"),
        node("Slice", &["m", "zeros", "x1", "space"], "y"),
    ];
    assert_eq!(
        kinds(&IMAGE, unknown, INT, &[2])[0],
        FillKind::Constant(f64::from(i32::MAX))
    );
}

#[test]
fn axes_are_some_of_the_data_each_of_them_once() {
    for operator in ["ReduceSum", "ReduceMean", "ReduceL2"] {
        assert_eq!(
            best(node(operator, &["x0", "x1"], "y"), INT, 2),
            columns(&[2.0, 3.0]),
            "{operator}"
        );
    }
    let scalar = |nodes| kinds(&IMAGE, nodes, INT, &[]).swap_remove(0);
    assert_eq!(
        scalar(vec![node("CumSum", &["x0", "x1"], "y")]),
        FillKind::Constant(3.0)
    );
    let unknown = vec![
        node("Mystery", &["x0"], "m"),
        node("ReduceSum", &["m", "x1"], "y"),
    ];
    assert_eq!(kinds(&IMAGE, unknown, INT, &[2])[0], columns(&[-2.0, -1.0]));
    assert_eq!(
        best(node("Pad", &["x0", "zeros", "", "x1"], "y"), INT, 1),
        FillKind::Constant(3.0)
    );
    assert_eq!(
        best(node("Slice", &["x0", "zeros", "space", "x1"], "y"), INT, 2),
        columns(&[2.0, 3.0])
    );
    assert_eq!(
        best(node("Unsqueeze", &["x0", "x1"], "y"), INT, 2),
        columns(&[1.0, 2.0])
    );
    let squeeze = vec![node("Squeeze", &["x0", "x1"], "y")];
    assert_eq!(
        kinds(&[0, 1, 32, 1], squeeze, INT, &[2])[0],
        columns(&[1.0, 3.0])
    );
}

#[test]
fn parts_add_up() {
    let split = |axis: i64| with(node("Split", &["x0", "x1"], "y"), "axis", integers(axis));
    assert_eq!(best(split(1), INT, 2), columns(&[2.0, 1.0]));
    assert_eq!(best(split(-2), INT, 3), columns(&[11.0, 11.0, 10.0]));
    assert_eq!(best(split(3), INT, 2), FillKind::Constant(24.0));
    let sequence = with(
        node("SplitToSequence", &["x0", "x1"], "y"),
        "axis",
        integers(2),
    );
    assert_eq!(
        kinds(&IMAGE, vec![sequence], INT, &[])[0],
        FillKind::Constant(32.0)
    );
}

#[test]
fn shapes_keep_all_elements() {
    let reshape = || node("Reshape", &["x0", "x1"], "y");
    assert_eq!(best(reshape(), INT, 4), FillKind::Constant(0.0));
    assert_eq!(best(reshape(), INT, 2), columns(&[0.0, -1.0]));
    assert_eq!(best(reshape(), INT, 1), FillKind::Constant(-1.0));
    assert_eq!(best(reshape(), INT, 5), columns(&[0.0, 0.0, 0.0, 0.0, 1.0]));
    assert_eq!(
        best(node("Expand", &["x0", "x1"], "y"), INT, 4),
        FillKind::Constant(1.0)
    );
    assert_eq!(
        best(node("Tile", &["x0", "x1"], "y"), INT, 4),
        FillKind::Constant(1.0)
    );
    assert_eq!(
        best(node("Pad", &["x0", "x1"], "y"), INT, 8),
        FillKind::Constant(0.0)
    );
}

#[test]
fn other_operands_that_fail_for_most_numbers_have_one_that_does_not() {
    let hot = node("OneHot", &["x0", "four", "x1"], "y");
    assert_eq!(best(hot, ElementType::Float, 2), columns(&[0.0, 1.0]));
    assert_eq!(
        best(node("RoiAlign", &["x0", "rois", "x1"], "y"), INT, 7),
        FillKind::Constant(0.0)
    );
    let place = vec![node("SequenceAt", &["all", "x1"], "y")];
    assert_eq!(kinds(&IMAGE, place, INT, &[])[0], FillKind::Constant(0.0));
    let window = vec![node("HannWindow", &["x1"], "y")];
    assert_eq!(kinds(&IMAGE, window, INT, &[])[0], FillKind::Constant(16.0));
}
