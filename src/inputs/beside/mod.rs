//! Sizes and words for classes that a model's metadata, and the files that are usually kept beside
//! a model, tell.
//!
//! Files are small, regular ones in the model's folder and the one above; what cannot be read is
//! told and left out.

mod classes;
mod files;
mod metadata;
mod sides;
mod triton;

use super::about::About;
use crate::onnx::Model;
use crate::record::SizeSource;

const FILES: [&str; 4] = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer_config.json",
    "genai_config.json",
];
const TRITON: &str = "config.pbtxt";
/// Largest size that is believed: tokenizers write 10^30 where there is no limit.
const SANE: u64 = 1 << 24;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub about: About,
    pub size: u64,
    pub source: SizeSource,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Beside {
    /// Sizes, those that are to be believed first.
    pub entries: Vec<Entry>,
    /// A number that the sides of an image are to be multiples of.
    pub stride: Option<u64>,
    /// Words for the classes, in the order of scores; empty where nothing has any.
    pub classes: Vec<String>,
    pub notes: Vec<String>,
}

pub(super) fn beside(model: &Model) -> Beside {
    let mut found = Beside::default();
    found.metadata(&model.metadata);
    for folder in model.path.ancestors().skip(1).take(2) {
        for name in FILES {
            found.json(&folder.join(name), name);
        }
        if let Some(text) = found.text(&folder.join(TRITON)) {
            found.triton(&text);
        }
    }
    found
        .entries
        .retain(|entry| (1..SANE).contains(&entry.size));
    found.task(&model.metadata);
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::Kind;

    fn entry(about: About, size: u64, entry: &str) -> Entry {
        Entry {
            about,
            size,
            source: SizeSource::File {
                entry: entry.to_owned().into(),
            },
        }
    }

    fn read(name: &str, text: &str) -> Beside {
        read_after(Beside::default(), name, text)
    }

    fn read_after(mut found: Beside, name: &str, text: &str) -> Beside {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        found.json(&path, name);
        found
    }

    fn sizes(found: &Beside) -> Vec<u64> {
        found.entries.iter().map(|entry| entry.size).collect()
    }

    #[test]
    fn sizes_are_read_in_their_forms() {
        let nested = r#"{"model": {"context_length": 64, "decoder": {"num_key_value_heads": 2, "num_attention_heads": 6,
            "head_size": 24, "hidden_size": 144}}}"#;
        for (name, text, expected) in [
            (
                "preprocessor_config.json",
                r#"{"size": {"height": 96, "width": 64}}"#,
                &[96, 64][..],
            ),
            (
                "preprocessor_config.json",
                r#"{"size": [96, 64]}"#,
                &[96, 64],
            ),
            (
                "config.json",
                r#"{"image_size": {"height": 96, "width": 64}}"#,
                &[96, 64],
            ),
            (
                "config.json",
                r#"{"input_size": [3, 96, 64]}"#,
                &[96, 64, 3],
            ),
            (
                "config.json",
                r#"{"pretrained_cfg": {"input_size": [1, 96, 64]}}"#,
                &[96, 64, 1],
            ),
            (
                "config.json",
                r#"{"vision_config": {"image_size": 96}}"#,
                &[96, 96],
            ),
            ("genai_config.json", nested, &[64, 2, 6, 24, 144]),
        ] {
            assert_eq!(sizes(&read(name, text)), expected, "{name} {text}");
        }
        let key = "preprocessor_config.json: size.shortest_edge";
        let expected = [entry(About::Height, 48, key), entry(About::Width, 48, key)];
        assert_eq!(
            read(
                "preprocessor_config.json",
                r#"{"size": {"shortest_edge": 48}}"#
            )
            .entries,
            expected
        );
        let endless = r#"{"model_max_length": 1000000000000000019884624838656}"#;
        assert_eq!(read("tokenizer_config.json", endless), Beside::default());
    }

    #[test]
    fn the_crop_is_fed_before_what_it_is_made_of() {
        let name = "preprocessor_config.json";
        let first = |entries: &str| {
            read(name, &format!("{{{entries}}}"))
                .entries
                .into_iter()
                .next()
        };
        let crop = r#""size": {"shortest_edge": 256}, "crop_size": {"height": 96, "width": 96}"#;
        for (entries, key, size) in [
            (crop, "crop_size.height", 96),
            (
                &format!(r#""do_center_crop": true, {crop}"#),
                "crop_size.height",
                96,
            ),
            (
                &format!(r#""do_center_crop": false, {crop}"#),
                "size.shortest_edge",
                256,
            ),
            (
                r#""size": {"height": 64, "width": 48}, "crop_size": 32"#,
                "crop_size",
                32,
            ),
            (
                r#""size": 48, "crop_size": {"shortest_edge": 32}"#,
                "crop_size.shortest_edge",
                32,
            ),
            (r#""size": 48, "do_center_crop": true"#, "size", 48),
        ] {
            let expected = entry(About::Height, size, &format!("{name}: {key}"));
            assert_eq!(first(entries), Some(expected), "{entries}");
        }
        let unused = format!(r#""do_center_crop": false, "do_resize": false, {crop}"#);
        assert_eq!(first(&unused), None);
    }

    fn noted(metadata: &[(&str, &str)]) -> Beside {
        let metadata = metadata
            .iter()
            .map(|&(key, text)| (key.to_owned(), text.to_owned()))
            .collect();
        let mut found = Beside::default();
        found.metadata(&metadata);
        found.task(&metadata);
        found
    }

    #[test]
    fn the_metadata_tells_sides_stride_and_classes() {
        let found = noted(&[
            ("imgsz", "[1, 3, 96, 64]"),
            ("stride", "32"),
            ("task", "detect"),
            ("names", "{0: 'a'}"),
        ]);
        assert_eq!(
            (sizes(&found), found.stride, found.classes),
            (vec![96, 64, 3], Some(32), vec!["a".to_owned()])
        );
        assert_eq!(
            noted(&[("stride", "tensor([ 8., 16., 64.])")]).stride,
            Some(64)
        );
        let by_task = noted(&[("task", "segment"), ("stride", "1")]);
        assert_eq!((sizes(&by_task), by_task.stride), (vec![640, 640], None));
        assert!(sizes(&noted(&[("task", "text-generation"), ("labels", "many")])).is_empty());
    }

    #[test]
    fn classes_are_told_by_the_first_that_has_words_for_them() {
        let text = r#"{"id2label": {"1": "dog", "0": "cat"}}"#;
        assert_eq!(read("config.json", text).classes, ["cat", "dog"]);
        assert_eq!(
            read_after(noted(&[("names", "['x', 'y']")]), "config.json", text).classes,
            ["x", "y"]
        );
    }

    #[test]
    fn what_is_no_configuration_is_told_and_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, "{").unwrap();
        let mut found = Beside::default();
        found.json(&path, "config.json");
        let said = &found.notes[0];
        assert!(
            found.entries.is_empty() && said.ends_with("is no JSON and is left out"),
            "{said}"
        );
        fs::write(&path, vec![b' '; Kind::CONFIGURATION.most.0 as usize + 1]).unwrap();
        found.json(&path, "config.json");
        assert!(found.notes[1].contains("too large"));
        found.json(folder.path(), "config.json");
        assert_eq!(found.notes.len(), 2);
    }

    #[test]
    fn a_repository_of_triton_names_inputs_without_the_batch() {
        let text = "name: \"m\"\nmax_batch_size: 8\ninput [ { name: \"x\" data_type: TYPE_FP32 dims: [ 3, -1, 48 ] } ]";
        let mut found = Beside::default();
        found.triton(text);
        let key = "config.pbtxt: dims of x";
        let axis = |axis| About::Axis("x".to_owned(), axis);
        assert_eq!(
            found.entries,
            [entry(axis(1), 3, key), entry(axis(3), 48, key)]
        );
    }
}
