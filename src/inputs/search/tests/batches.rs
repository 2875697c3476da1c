//! Which axis samples lie along, and how large a sample is beside it.

use super::*;

#[test]
fn batch_is_a_name_on_any_axis() {
    let plan = planned(
        &model(&[
            info("ids", INT, &["batch_size", "seq"]),
            info("state", FLOAT, &["2", "batch_size"]),
        ]),
        &[],
    );
    assert_eq!(plan.batch_axis.reason, AxisReason::SymbolName);
    assert_eq!(
        plan.batch_axis.symbol.as_ref().map(Plain::exact),
        Some("batch_size")
    );
    assert_eq!(axes(&plan), [("ids", 0), ("state", 1)]);
    assert_eq!(shapes(&plan), [vec![None, Some(128)], vec![Some(2), None]]);
    assert_eq!(plan.fed[0].sources, [SizeSource::Batch, SizeSource::MadeUp]);
    assert_eq!(plan.fed[1].sources, [SizeSource::Fixed, SizeSource::Batch]);
}

#[test]
fn first_dimension_that_all_inputs_share_is_the_batch() {
    let one = planned(
        &model(&[
            info("a", FLOAT, &["rows", "3"]),
            info("scale", FLOAT, &["1"]),
        ]),
        &[],
    );
    assert_eq!(
        (one.batch_axis.reason, axes(&one)),
        (AxisReason::FirstSymbolicDimension, vec![("a", 0)])
    );
    let alone = planned(
        &model(&[
            info("boxes", FLOAT, &["K", "4"]),
            info("image", FLOAT, &["3", "9"]),
        ]),
        &[],
    );
    assert_eq!(alone.batch_axis.reason, AxisReason::NoAxis);
    let generated = planned(
        &model(&[
            info("a", FLOAT, &["unk__1", "3"]),
            info("b", FLOAT, &["unk__2", "3"]),
        ]),
        &[],
    );
    assert_eq!(
        generated.batch_axis.reason,
        AxisReason::FirstUnknownDimension
    );
    assert_eq!(axes(&generated), [("a", 0), ("b", 0)]);
    let unlike = model(&[
        info("query", FLOAT, &["q", "8"]),
        info("document", FLOAT, &["d", "8"]),
    ]);
    assert_eq!(planned(&unlike, &[]).batch_axis.reason, AxisReason::NoAxis);
}

#[test]
fn fixed_first_dimension_is_a_batch_if_outputs_share_it_and_no_colours() {
    let mut four = model(&[info("x", FLOAT, &["4", "2"])]);
    four.graph.outputs = vec![info("y", FLOAT, &["4", "2"])];
    assert_eq!(planned(&four, &[]).batch_axis.fixed_size, Some(4));
    four.graph.outputs = vec![info("y", FLOAT, &["3"])];
    assert_eq!(planned(&four, &[]).batch_axis.reason, AxisReason::NoAxis);
    let colours = planned(&model(&[info("x", FLOAT, &["3", "", ""])]), &[]);
    assert_eq!(colours.batch_axis.reason, AxisReason::NoAxis);
    assert_eq!(shapes(&colours), [[Some(3), Some(224), Some(224)]]);
    assert_eq!(
        planned(&model(&[info("x", FLOAT, &[])]), &[])
            .batch_axis
            .reason,
        AxisReason::NoAxis
    );
}

#[test]
fn rows_of_three_numbers_that_operators_count_are_no_image() {
    let turned = with(
        node("Transpose", &["x"], "turned"),
        "perm",
        AttributeValue::Integers(vec![0, 2, 1]),
    );
    let nodes = vec![turned, node("Conv", &["turned", "kernels"], "y")];
    let mut points = with_nodes(&[info("x", FLOAT, &["", "", "3"])], nodes);
    points
        .graph
        .initializers
        .push(tensor("kernels", &[8, 3, 1], None));
    let plan = planned(&points, &[]);
    assert_eq!(
        (axes(&plan), shapes(&plan)),
        (vec![("x", 0)], vec![vec![None, Some(100), Some(3)]])
    );
    let image = planned(
        &model(&[info("x", ElementType::Uint8, &["", "", "3"])]),
        &[],
    );
    assert_eq!(
        (axes(&image), shapes(&image)),
        (vec![], vec![vec![Some(224), Some(224), Some(3)]])
    );
    let keypoints = planned(&model(&[info("x", FLOAT, &["", "17", "3"])]), &[]);
    assert_eq!(axes(&keypoints), [("x", 0)]);
}

#[test]
fn frames_of_a_video_are_fewer_than_those_of_a_sound() {
    let video = planned(
        &model(&[info(
            "clip",
            FLOAT,
            &["batch", "time", "3", "height", "width"],
        )]),
        &[],
    );
    assert_eq!(
        shapes(&video),
        [[None, Some(16), Some(3), Some(224), Some(224)]]
    );
    let sound = planned(&model(&[info("mel", FLOAT, &["batch", "time", "80"])]), &[]);
    assert_eq!(shapes(&sound), [[None, Some(100), Some(80)]]);
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
    let pair = [info("x", FLOAT, &["", "80"]), info("lens", INT, &[""])];
    assert_eq!(
        missing(&pair, &[("x.0", 2)]).as_deref(),
        Some("dimension `x.0` is set to 2 by --dim")
    );
    let rows = [info("x", FLOAT, &["rows", "cols", "6"])];
    assert_eq!(missing(&rows, &[("cols", 5)]), None);
    assert_eq!(
        missing(&[info("x", FLOAT, &["3", "h", "w"])], &[("h", 320)]),
        None
    );
}

#[test]
fn a_batch_that_a_sweep_takes_away_is_said_to_be_swept() {
    let shape = Shape {
        dims: BTreeMap::from([("batch".to_owned(), 4)]),
        name: None,
    };
    let mut swept = Search::new(
        &model(&[info("x", FLOAT, &["batch", "3"])]),
        &asked(&[]),
        &shape,
    )
    .unwrap();
    let plan = swept.next().unwrap();
    assert_eq!(
        plan.batch_axis.missing(),
        Some("dimension `batch` is given its sizes by --sweep")
    );
    let none = InputRequest {
        batch_dim: Some("none".to_owned()),
        ..Default::default()
    };
    let plan = search(&model(&[info("x", FLOAT, &["batch", "3"])]), &none)
        .next()
        .unwrap();
    assert_eq!(
        plan.supports_batch(2),
        Err("there is no batch: `--batch-dim none` asks for none".to_owned())
    );
}

#[test]
fn sizes_that_were_given_are_not_called_open() {
    let sound = model(&[
        info("sound", FLOAT, &["batch", "time"]),
        info("sound_lens", INT, &["batch"]),
    ]);
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
