//! Shapes that decoders that keep keys are asked about.

use super::*;

const BOTH: [&str; 2] = [
    "prefill, past_sequence_length 0, sequence_length 128",
    "decode, past_sequence_length 128, sequence_length 1",
];

fn named(shapes: &[Shape]) -> Vec<String> {
    shapes.iter().map(ToString::to_string).collect()
}

fn usual(model: &Model) -> Vec<Shape> {
    usual_shapes(model, &InputRequest::default())
}

fn shaped(model: &Model, shape: &Shape) -> InputPlan {
    Search::new(model, &InputRequest::default(), shape)
        .unwrap()
        .next()
        .unwrap()
}

#[test]
fn decoders_with_a_cache_are_asked_for_a_prompt_and_one_more_token() {
    let kept = decoder("past_sequence_length + sequence_length");
    assert_eq!(named(&usual(&kept)), BOTH);
    let [prompt, _] = &usual(&kept)[..] else {
        panic!()
    };
    let source = |shape: &Shape| shaped(&kept, shape).fed[0].sources[1].clone();
    assert_eq!(source(prompt), SizeSource::MadeUp);
    assert_eq!(
        source(&Shape {
            name: None,
            ..prompt.clone()
        }),
        SizeSource::Asked
    );
    let sized = asked(&[("past_sequence_length", 7)]);
    assert_eq!(usual_shapes(&kept, &sized), crate::plan::unswept());
    assert_eq!(usual(&model(&[int("ids", "b, s")])), crate::plan::unswept());
}

/// Names that say of a mask that one token follows the past.
const ONE_MORE: [&str; 3] = [
    "past_sequence_length + 1",
    "past_sequence_length+1",
    "1 + past_sequence_length",
];

/// Lengths of the mask where a model is asked what is usual.
fn masks(model: &Model) -> Vec<Option<u64>> {
    let mask = |shape| shaped(model, shape).fed[1].dims[1];
    usual(model).iter().map(mask).collect()
}

#[test]
fn a_decoder_whose_mask_counts_one_token_after_the_past_is_asked_for_one() {
    for name in ONE_MORE {
        let later = decoder(name);
        assert_eq!(
            (named(&usual(&later)), masks(&later)),
            (vec![BOTH[1].to_owned()], vec![Some(129)]),
            "{name}"
        );
        let sized = asked(&[("past_sequence_length", 7)]);
        assert_eq!(usual_shapes(&later, &sized), crate::plan::unswept());
        assert_eq!(
            shapes(&planned(&later, &[("past_sequence_length", 7)]))[1],
            "N 8"
        );
    }
}

/// A decoder of which one branch reads what was kept, and another does not.
fn merged(mask: &str) -> Model {
    let [resumed, begun] =
        ["a = Neg kept", "b = Neg words"].map(|line| branch(nodes(&[line]), &line[..1]));
    let mut merged = decoder(mask);
    merged
        .graph
        .inputs
        .push(info("resumes", ElementType::Bool, &["1"]));
    merged.graph.nodes = nodes(&["words = Neg ids"]);
    merged.graph.nodes.push(choice("resumes", resumed, begun));
    merged.graph.outputs = vec![info("y", FLOAT, &[])];
    merged
}

#[test]
fn a_merged_decoder_is_asked_for_a_prompt_whatever_its_mask_is_called() {
    for name in [
        &ONE_MORE[..],
        &[
            "past_sequence_length + sequence_length",
            "total_sequence_length",
        ],
    ]
    .concat()
    {
        let merged = merged(name);
        let wanted = (BOTH.map(str::to_owned).to_vec(), vec![Some(128), Some(129)]);
        assert_eq!((named(&usual(&merged)), masks(&merged)), wanted, "{name}");
        let longer = planned(
            &merged,
            &[("past_sequence_length", 7), ("sequence_length", 3)],
        );
        assert_eq!(shapes(&longer)[1], "N 10", "{name}");
    }
}

/// A decoder that puts as many numbers as there are old and new tokens to its mask.
fn tied(mask: &str) -> Model {
    let mut tied = decoder(mask);
    tied.graph.nodes = nodes(&[
        "kept_sizes = Shape kept",
        "old = Gather kept_sizes two",
        "sizes = Shape ids",
        "new = Gather sizes one",
        "all = Add old new",
        "zeros = ConstantOfShape all",
        "y = Add mask zeros",
    ]);
    tied.graph
        .initializers
        .extend([list("one", &[1.0]), list("two", &[2.0])]);
    tied
}

#[test]
fn a_mask_that_is_tied_to_the_new_tokens_counts_as_many_as_are_asked_for() {
    for name in ONE_MORE {
        let tied = tied(name);
        assert_eq!(
            (named(&usual(&tied)), masks(&tied)),
            (vec![BOTH[1].to_owned()], vec![Some(129)]),
            "{name}"
        );
        let prompt = planned(
            &tied,
            &[("past_sequence_length", 0), ("sequence_length", 128)],
        );
        assert_eq!(shapes(&prompt)[1], "N 128", "{name}");
        let from = "sequence_length + past_sequence_length".to_owned();
        assert_eq!(
            prompt.fed[1].sources[1],
            SizeSource::Derived { from: from.into() }
        );
    }
}
