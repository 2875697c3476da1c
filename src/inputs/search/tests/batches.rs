//! Which axis samples lie along, and how large a sample is beside it.

use super::*;

#[test]
fn batch_is_a_name_on_any_axis() {
    let plan = fed(&[
        int("ids", "batch_size, seq"),
        float("state", "2, batch_size"),
    ]);
    assert_eq!(plan.batch_axis.reason, AxisReason::SymbolName);
    assert_eq!(plan.batch_axis.symbol, Some("batch_size".into()));
    assert_eq!(axes(&plan), [("ids", 0), ("state", 1)]);
    assert_eq!(shapes(&plan), ["N 128", "2 N"]);
    assert_eq!(plan.fed[0].sources, [SizeSource::Batch, SizeSource::MadeUp]);
    assert_eq!(plan.fed[1].sources, [SizeSource::Fixed, SizeSource::Batch]);
}

#[test]
fn first_dimension_that_all_inputs_share_is_the_batch() {
    let one = fed(&[float("a", "rows, 3"), float("scale", "1")]);
    assert_eq!(
        (one.batch_axis.reason, axes(&one)),
        (AxisReason::FirstSymbolicDimension, vec![("a", 0)])
    );
    let alone = [float("boxes", "K, 4"), float("image", "3, 9")];
    let unlike = [float("query", "q, 8"), float("document", "d, 8")];
    for inputs in [alone, unlike] {
        assert_eq!(fed(&inputs).batch_axis.reason, AxisReason::NoAxis);
    }
    let generated = fed(&[float("a", "unk__1, 3"), float("b", "unk__2, 3")]);
    assert_eq!(
        generated.batch_axis.reason,
        AxisReason::FirstUnknownDimension
    );
    assert_eq!(axes(&generated), [("a", 0), ("b", 0)]);
}

#[test]
fn fixed_first_dimension_is_a_batch_if_outputs_share_it_and_no_colours() {
    let mut four = model(&[float("x", "4, 2")]);
    four.graph.outputs = vec![float("y", "4, 2")];
    assert_eq!(unasked(&four).batch_axis.fixed_size, Some(4));
    four.graph.outputs = vec![float("y", "3")];
    assert_eq!(unasked(&four).batch_axis.reason, AxisReason::NoAxis);
    let colours = fed(&[float("x", "3, _, _")]);
    assert_eq!(colours.batch_axis.reason, AxisReason::NoAxis);
    assert_eq!(shapes(&colours), ["3 224 224"]);
    assert_eq!(
        fed(&[info("x", FLOAT, &[])]).batch_axis.reason,
        AxisReason::NoAxis
    );
}

#[test]
fn rows_of_three_numbers_that_operators_count_are_no_image() {
    let nodes = nodes(&["turned = Transpose x perm=0,2,1", "y = Conv turned kernels"]);
    let mut points = with_nodes(&[float("x", "_, _, 3")], nodes);
    points
        .graph
        .initializers
        .push(tensor("kernels", &[8, 3, 1], None));
    let plan = unasked(&points);
    assert_eq!(axes(&plan), [("x", 0)]);
    assert_eq!(shapes(&plan), ["N 100 3"]);
    let image = fed(&[info("x", ElementType::Uint8, &["", "", "3"])]);
    assert!(axes(&image).is_empty());
    assert_eq!(shapes(&image), ["224 224 3"]);
    let keypoints = fed(&[float("x", "_, 17, 3")]);
    assert_eq!(axes(&keypoints), [("x", 0)]);
}

#[test]
fn frames_of_a_video_are_fewer_than_those_of_a_sound() {
    let video = fed(&[float("clip", "batch, time, 3, height, width")]);
    assert_eq!(shapes(&video), ["N 16 3 224 224"]);
    let sound = fed(&[float("mel", "batch, time, 80")]);
    assert_eq!(shapes(&sound), ["N 100 80"]);
}

fn missing(inputs: &[TensorInfo], dims: &[(&str, u64)]) -> Option<String> {
    planned(&model(inputs), dims)
        .batch_axis
        .missing()
        .map(str::to_owned)
}

#[test]
fn a_batch_that_a_size_takes_away_is_said_to_be_taken_away_whatever_it_is_called() {
    for (name, given) in [
        ("batch", "batch"),
        ("N", "x.0"),
        ("unk__3", "x.0"),
        ("", "x.0"),
    ] {
        let said = Some(format!("dimension `{given}` is set to 2 by --dim"));
        assert_eq!(
            missing(&[info("x", FLOAT, &[name, "3"])], &[(given, 2)]),
            said,
            "{name}"
        );
    }
    let pair = [float("x", "_, 80"), int("lens", "_")];
    assert_eq!(
        missing(&pair, &[("x.0", 2)]).as_deref(),
        Some("dimension `x.0` is set to 2 by --dim")
    );
    let rows = [float("x", "rows, cols, 6")];
    assert_eq!(missing(&rows, &[("cols", 5)]), None);
    assert_eq!(missing(&[float("x", "3, h, w")], &[("h", 320)]), None);
}

#[test]
fn a_batch_that_a_sweep_takes_away_is_said_to_be_swept() {
    let shape = Shape {
        dims: BTreeMap::from([("batch".into(), 4)]),
        name: None,
    };
    let rows = model(&[float("x", "batch, 3")]);
    let plan = Search::new(&rows, &asked(&[]), &shape)
        .unwrap()
        .next()
        .unwrap();
    assert_eq!(
        plan.batch_axis.missing(),
        Some("dimension `batch` is given its sizes by --sweep")
    );
    let plan = search(&rows, &along("none")).next().unwrap();
    assert_eq!(
        plan.supports_batch(2),
        Err("there is no batch: `--batch-dim none` asks for none".to_owned())
    );
}

#[test]
fn sizes_that_were_given_are_not_called_open() {
    let sound = model(&[float("sound", "batch, time"), int("sound_lens", "batch")]);
    let mut search = search(&sound, &asked(&[("time", 1600)]));
    while search.next().is_some() {}
    let error = search.nothing_runs("no");
    let said = error.to_string();
    let open = "input `sound` leaves `batch` open, input `sound_lens` leaves `batch` open, where `time` is 1600";
    assert!(said.contains(open), "{said}");
    assert!(
        said.contains("tried sound [1, 1600], sound_lens [1] = 1600"),
        "{said}"
    );
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("--dim batch=N, or another size than 1600 for time"),
        "{hint}"
    );
}
