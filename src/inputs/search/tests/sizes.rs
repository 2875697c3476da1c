//! Sizes, strides and classes that the metadata and files beside a model tell.

use super::*;

/// An image whose sides are open, and the folder of its file with other files in it.
fn image(files: &[(&str, &str)]) -> (Model, tempfile::TempDir) {
    beside(model(&[float("x", "_, 3, _, _")]), files)
}

fn beside(mut model: Model, files: &[(&str, &str)]) -> (Model, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    model.path = folder.path().join("m.onnx");
    (model, folder)
}

/// Rows and columns that are fed, and where the rows come from.
fn sides(model: &Model) -> (u64, u64, SizeSource) {
    let plan = planned(model, &[]);
    let fed = &plan.fed[0];
    (
        fed.dims[2].unwrap(),
        fed.dims[3].unwrap(),
        fed.sources[2].clone(),
    )
}

fn file(entry: &str) -> SizeSource {
    SizeSource::File {
        entry: entry.to_owned().into(),
    }
}

#[test]
fn an_image_is_as_large_as_what_is_cut_out_of_it() {
    let text = r#"{"size": {"shortest_edge": 256}, "crop_size": {"height": 96, "width": 64}}"#;
    let (cropped, _folder) = image(&[("preprocessor_config.json", text)]);
    assert_eq!(
        sides(&cropped),
        (96, 64, file("preprocessor_config.json: crop_size.height"))
    );
    let (of_timm, _folder) = image(&[(
        "config.json",
        r#"{"pretrained_cfg": {"input_size": [3, 384, 384]}}"#,
    )]);
    assert_eq!(
        sides(&of_timm),
        (384, 384, file("config.json: pretrained_cfg.input_size"))
    );
}

#[test]
fn sides_that_are_made_up_are_multiples_of_the_stride() {
    let (mut strided, _folder) = image(&[]);
    let with = |model: &mut Model, key: &str, text: &str| {
        model.metadata.insert(key.to_owned(), text.to_owned())
    };
    let reason = |stride: u64| format!("the file's metadata tells a stride of {stride}");
    let demanded = |stride: u64| SizeSource::Demand {
        reason: reason(stride).into(),
    };
    for (stride, size, source) in [
        (32, 224, SizeSource::MadeUp),
        (64, 256, demanded(64)),
        (100, 200, demanded(100)),
    ] {
        with(&mut strided, "stride", &stride.to_string());
        assert_eq!(sides(&strided), (size, size, source), "{stride}");
    }
    with(&mut strided, "imgsz", "[1, 3, 96, 80]");
    assert_eq!(
        sides(&strided),
        (
            96,
            80,
            SizeSource::Metadata {
                key: "imgsz".to_owned().into()
            }
        ),
        "what is told holds"
    );
}

#[test]
fn heads_of_a_cache_are_told_by_the_decoders_configuration() {
    let text = r#"{"model": {"decoder": {"num_key_value_heads": 2, "num_attention_heads": 6, "head_size": 24,
        "hidden_size": 144}}}"#;
    let kept = model(&[
        int("ids", "batch_size, sequence_length"),
        float("kept", "batch_size, p, past_sequence_length, q"),
        float("state", "batch_size, hidden_size"),
    ]);
    let (kept, _folder) = beside(kept, &[("genai_config.json", text)]);
    let plan = unasked(&kept);
    assert_eq!(shapes(&plan)[1..], ["N 2 128 24", "N 144"]);
    assert_eq!(
        plan.fed[1].sources[3],
        file("genai_config.json: model.decoder.head_size")
    );
}

#[test]
fn words_for_classes_come_with_the_plan() {
    let (mut named, _folder) =
        image(&[("config.json", r#"{"id2label": {"0": "cat", "1": "dog"}}"#)]);
    assert_eq!(unasked(&named).classes.told, ["cat", "dog"]);
    named
        .metadata
        .insert("names".to_owned(), "{0: 'ant', 1: 'bee'}".to_owned());
    assert_eq!(unasked(&named).classes.told, ["ant", "bee"]);
}
