//! Inputs that list a number for each axis.

use super::*;

const IMAGE: [u64; 4] = [0, 3, 32, 48];

fn kinds(data: &[u64], nodes: Vec<Node>, element_type: ElementType, dims: &[u64]) -> Vec<FillKind> {
    let fills = beside(data, nodes, element_type, dims).into_iter();
    fills.map(|fill| fill.kind).collect()
}

/// The best way to fill whole numbers of these dimensions beside an image.
fn whole_numbers(nodes: Vec<Node>, dims: &[u64]) -> FillKind {
    kinds(&IMAGE, nodes, INT, dims).swap_remove(0)
}

/// The best way to fill `x1`, which has so many numbers, where one node reads it beside an image.
fn best(node: Node, element_type: ElementType, count: u64) -> FillKind {
    kinds(&IMAGE, vec![node], element_type, &[count]).swap_remove(0)
}

/// The best way to fill so many whole numbers, where `y` is made of `x0`, them and others.
fn read(operator: &str, operands: &[&str], count: u64) -> FillKind {
    best(node(operator, operands, "y"), INT, count)
}

fn columns(numbers: &[f64]) -> FillKind {
    FillKind::Columns(numbers.iter().copied().map(FillKind::Constant).collect())
}

/// The sizes of the image, of which the first follows the batch.
fn of_image() -> FillKind {
    let mut sizes = vec![FillKind::PerSample(1)];
    sizes.extend([3.0, 32.0, 48.0].map(FillKind::Constant));
    FillKind::Columns(sizes)
}

fn axes(node: Node, axes: &[i64]) -> Node {
    with(node, "axes", AttributeValue::Integers(axes.to_vec()))
}

/// A node that makes images of the sizes in `list`.
fn resize(list: &str) -> Node {
    node("Resize", &["x0", "", "", list], "y")
}

/// A node that does so of what nothing is known of, and one that makes that.
fn of_unknown(operator: &str, operands: &[&str]) -> Vec<Node> {
    vec![
        node("Mystery", &["x0"], "m"),
        node(operator, &[&["m"][..], operands].concat(), "y"),
    ]
}

#[test]
fn sizes_are_those_of_the_data_and_of_the_batch() {
    let found = beside(&IMAGE, vec![resize("x1")], INT, &[4]);
    assert!(
        found[0].steers && found[0].reason.contains("the sizes in Resize `Resize_y`"),
        "{found:?}"
    );
    let [first, second] = found.try_into().unwrap();
    assert_eq!(first.kind, of_image());
    assert_eq!(second.kind, FillKind::Constant(1.0));
    let narrow = vec![cast("x1", INT32, "n"), resize("n")];
    assert_eq!(whole_numbers(narrow, &[1, 4]), of_image());
    // No axis is that of the batch.
    let fixed = kinds(&[1, 3, 32, 48], vec![resize("x1")], INT, &[4]).remove(0);
    assert_eq!(fixed, columns(&[1.0, 3.0, 32.0, 48.0]));
    let crop = node("CenterCropPad", &["x0", "x1"], "y");
    for (node, sizes) in [
        (axes(resize("x1"), &[2, 3]), [32.0, 48.0]),
        (axes(resize("x1"), &[-1, 1]), [48.0, 3.0]),
        (axes(crop, &[3, 2]), [48.0, 32.0]),
    ] {
        assert_eq!(best(node, INT, 2), columns(&sizes));
    }
    // Nothing is known of the data: no size is that of samples, channels and space at once.
    let unknown = kinds(&IMAGE, of_unknown("Resize", &["", "", "x1"]), INT, &[4]);
    assert_eq!(unknown, [FillKind::Constant(1.0)]);
}

#[test]
fn sizes_are_found_behind_others_in_a_joined_list() {
    let turned = vec![
        node("Gather", &["x1", "zero"], "width"),
        node("Unsqueeze", &["width", "zero"], "w"),
        node("Slice", &["x1", "step", "space"], "h"),
        node("Reshape", &["h", "step"], "one"),
        node("Concat", &["head", "one", "w"], "list"),
    ];
    let joined = vec![node("Concat", &["head", "x1"], "list")];
    for (list, sizes) in [(joined, [32.0, 48.0]), (turned, [48.0, 32.0])] {
        let head = [
            node("Shape", &["x0"], "shape"),
            node("Slice", &["shape", "zero", "space"], "head"),
        ];
        let nodes = [&head[..], &list, &[resize("list")]].concat();
        assert_eq!(whole_numbers(nodes, &[2]), columns(&sizes));
    }
}

#[test]
fn sizes_in_a_row_are_told_apart_from_the_row_itself() {
    for (axis, resized, sizes) in [
        (0, &[2, 3][..], [32.0, 48.0]),
        // One of its numbers, of which the other is read by nothing.
        (-1, &[3], [48.0, 1.0]),
    ] {
        let gather = node("Gather", &["x1", "zero"], "list");
        let row = vec![
            with(gather, "axis", integers(axis)),
            axes(resize("list"), resized),
        ];
        assert_eq!(whole_numbers(row, &[1, 2]), columns(&sizes), "{axis}");
    }
}

#[test]
fn lists_that_are_joined_with_themselves_come_to_an_end() {
    let circle = vec![node("Concat", &["x1", "list"], "list"), resize("list")];
    assert!(!kinds(&IMAGE, circle, INT, &[2]).is_empty());
    let names: Vec<String> = (0..60).map(|place| format!("v{place}")).collect();
    let mut doubled = vec![node("Concat", &["x1", "x1"], "v0"), resize("v59")];
    for pair in names.windows(2) {
        doubled.push(node("Concat", &[&pair[0], &pair[0]], &pair[1]));
    }
    assert!(!kinds(&IMAGE, doubled, INT, &[2]).is_empty());
}

#[test]
fn scales_are_one_for_samples_and_channels() {
    let resize = node("Resize", &["x0", "", "x1"], "y");
    let found = kinds(&IMAGE, vec![resize.clone()], ElementType::Float, &[4]);
    let scales = columns(&[1.0, 1.0, 2.0, 2.0]);
    assert_eq!(found, [scales.clone(), FillKind::Constant(1.0)]);
    let upsample = node("Upsample", &["x0", "x1"], "y");
    let region = node("Resize", &["x0", "x1", "scales"], "y");
    let whole = columns(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    for (node, count, expected) in [
        (upsample, 4, scales),
        (axes(resize.clone(), &[2, 3]), 2, FillKind::Constant(2.0)),
        (region, 8, whole),
    ] {
        assert_eq!(best(node, ElementType::Float, count), expected);
    }
    let last = kinds(&[0, 32, 48, 3], vec![resize], ElementType::Float, &[4]).remove(0);
    assert_eq!(last, columns(&[1.0, 2.0, 2.0, 1.0]));
}

#[test]
fn slices_end_where_each_axis_does() {
    let some = read("Slice", &["x0", "zeros", "x1", "space"], 2);
    assert_eq!(some, columns(&[32.0, 48.0]));
    assert_eq!(read("Slice", &["x0", "zeros", "x1"], 4), of_image());
    let unknown = whole_numbers(of_unknown("Slice", &["zeros", "x1", "space"]), &[2]);
    assert_eq!(unknown, FillKind::Constant(f64::from(i32::MAX)));
}

#[test]
fn axes_are_some_of_the_data_each_of_them_once() {
    for (operator, operands, found) in [
        ("ReduceSum", &["x0", "x1"][..], [2.0, 3.0]),
        ("ReduceMean", &["x0", "x1"], [2.0, 3.0]),
        ("ReduceL2", &["x0", "x1"], [2.0, 3.0]),
        ("Slice", &["x0", "zeros", "space", "x1"], [2.0, 3.0]),
        ("Unsqueeze", &["x0", "x1"], [1.0, 2.0]),
    ] {
        assert_eq!(read(operator, operands, 2), columns(&found), "{operator}");
    }
    let sums = vec![node("CumSum", &["x0", "x1"], "y")];
    assert_eq!(whole_numbers(sums, &[]), FillKind::Constant(3.0));
    let unknown = whole_numbers(of_unknown("ReduceSum", &["x1"]), &[2]);
    assert_eq!(unknown, columns(&[-2.0, -1.0]));
    let padded = read("Pad", &["x0", "zeros", "", "x1"], 1);
    assert_eq!(padded, FillKind::Constant(3.0));
    let squeeze = vec![node("Squeeze", &["x0", "x1"], "y")];
    let single = kinds(&[0, 1, 32, 1], squeeze, INT, &[2]).remove(0);
    assert_eq!(single, columns(&[1.0, 3.0]));
}

#[test]
fn parts_add_up() {
    for (operator, axis, dims, parts) in [
        ("Split", 1, &[2][..], columns(&[2.0, 1.0])),
        ("Split", -2, &[3], columns(&[11.0, 11.0, 10.0])),
        ("Split", 3, &[2], FillKind::Constant(24.0)),
        ("SplitToSequence", 2, &[], FillKind::Constant(32.0)),
    ] {
        let split = with(node(operator, &["x0", "x1"], "y"), "axis", integers(axis));
        assert_eq!(whole_numbers(vec![split], dims), parts, "{operator} {axis}");
    }
}

#[test]
fn shapes_keep_all_elements() {
    for (operator, count, shape) in [
        ("Reshape", 4, FillKind::Constant(0.0)),
        ("Reshape", 2, columns(&[0.0, -1.0])),
        ("Reshape", 1, FillKind::Constant(-1.0)),
        ("Reshape", 5, columns(&[0.0, 0.0, 0.0, 0.0, 1.0])),
        ("Expand", 4, FillKind::Constant(1.0)),
        ("Tile", 4, FillKind::Constant(1.0)),
        ("Pad", 8, FillKind::Constant(0.0)),
    ] {
        let found = read(operator, &["x0", "x1"], count);
        assert_eq!(found, shape, "{operator} {count}");
    }
}

#[test]
fn other_operands_that_fail_for_most_numbers_have_one_that_does_not() {
    let hot = node("OneHot", &["x0", "four", "x1"], "y");
    assert_eq!(best(hot, ElementType::Float, 2), columns(&[0.0, 1.0]));
    for (operator, operands, dims, number) in [
        ("RoiAlign", &["x0", "rois", "x1"][..], &[7][..], 0.0),
        ("SequenceAt", &["all", "x1"], &[], 0.0),
        ("HannWindow", &["x1"], &[], 16.0),
    ] {
        let found = whole_numbers(vec![node(operator, operands, "y")], dims);
        assert_eq!(found, FillKind::Constant(number), "{operator}");
    }
}
