//! What a model's metadata, and the files that are usually kept beside a model, tell: sizes, and words for its classes.
//!
//! Files are small, regular ones in the model's folder and the one above; what cannot be read is told and left out.

mod classes;
mod sides;
mod triton;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::about::About;
use crate::files::{self, Kind};
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

/// A key of a JSON file, with dots between its levels, and what its number is.
const KEYS: [(&str, &str, About); 21] = [
    ("preprocessor_config.json", "sampling_rate", About::Audio),
    ("preprocessor_config.json", "nb_max_frames", About::Frames),
    ("preprocessor_config.json", "feature_size", About::Features),
    ("config.json", "num_channels", About::Channels),
    ("config.json", "max_position_embeddings", About::MostTokens),
    ("config.json", "n_positions", About::MostTokens),
    (
        "config.json",
        "text_config.max_position_embeddings",
        About::MostTokens,
    ),
    ("config.json", "num_mel_bins", About::Features),
    ("config.json", "head_dim", About::HeadSize),
    ("config.json", "hidden_size", About::Features),
    ("config.json", "d_model", About::Features),
    ("config.json", "num_key_value_heads", About::Heads),
    ("config.json", "num_attention_heads", About::Heads),
    ("config.json", "n_head", About::Heads),
    ("config.json", "decoder_attention_heads", About::Heads),
    (
        "tokenizer_config.json",
        "model_max_length",
        About::MostTokens,
    ),
    (
        "genai_config.json",
        "model.context_length",
        About::MostTokens,
    ),
    (
        "genai_config.json",
        "model.decoder.num_key_value_heads",
        About::Heads,
    ),
    (
        "genai_config.json",
        "model.decoder.num_attention_heads",
        About::Heads,
    ),
    (
        "genai_config.json",
        "model.decoder.head_size",
        About::HeadSize,
    ),
    (
        "genai_config.json",
        "model.decoder.hidden_size",
        About::Features,
    ),
];
/// Keys for the sides of an image, the crop first, which is fed; and the key that, if false, takes them away.
const SIDES: [(&str, &str, Option<&str>); 6] = [
    (
        "preprocessor_config.json",
        "crop_size",
        Some("do_center_crop"),
    ),
    ("preprocessor_config.json", "size", Some("do_resize")),
    ("config.json", "image_size", None),
    ("config.json", "vision_config.image_size", None),
    ("config.json", "input_size", None),
    ("config.json", "pretrained_cfg.input_size", None),
];
const CLASSES: [&str; 2] = ["id2label", "label_names"];
const METADATA_SIDES: [&str; 4] = ["imgsz", "image_size", "input_size", "img_size"];
const METADATA_CLASSES: [&str; 5] = ["names", "class_names", "classes", "labels", "id2label"];
const STRIDE: &str = "stride";
/// The metadata's key for what a model does, and the sides of the images that models which do that are trained on.
const TASK: &str = "task";
const TASKS: [(&str, u64); 5] = [
    ("detect", 640),
    ("segment", 640),
    ("pose", 640),
    ("obb", 1024),
    ("classify", 224),
];

pub(super) fn beside(model: &Model) -> Beside {
    let mut found = Beside::default();
    found.metadata(&model.metadata);
    let folder = model.path.parent().map(Path::to_owned).unwrap_or_default();
    let folders = [Some(folder.as_path()), folder.parent()];
    for folder in folders.into_iter().flatten() {
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

impl Beside {
    fn metadata(&mut self, metadata: &BTreeMap<String, String>) {
        for key in METADATA_SIDES {
            let told = metadata
                .get(key)
                .map(|text| sides::of_numbers(&numbers(text)))
                .unwrap_or_default();
            let source = || SizeSource::Metadata {
                key: key.to_owned(),
            };
            self.entries
                .extend(told.into_iter().map(|(about, size)| Entry {
                    about,
                    size,
                    source: source(),
                }));
        }
        // A model with several scales has a stride for each.
        let stride = metadata
            .get(STRIDE)
            .and_then(|text| numbers(text).into_iter().max());
        self.stride = stride.filter(|stride| (2..SANE).contains(stride));
        let classes = METADATA_CLASSES
            .iter()
            .find_map(|key| classes::of_text(metadata.get(*key)?));
        self.classes = classes.unwrap_or_default();
    }

    /// The sides of images by what the model does, where nothing says them.
    fn task(&mut self, metadata: &BTreeMap<String, String>) {
        let task = metadata.get(TASK).map(|task| task.trim());
        let Some(&(_, size)) = TASKS.iter().find(|(name, _)| Some(*name) == task) else {
            return;
        };
        if self
            .entries
            .iter()
            .all(|entry| !matches!(entry.about, About::Height | About::Width))
        {
            let source = || SizeSource::Metadata {
                key: TASK.to_owned(),
            };
            let side = |about: About| Entry {
                about,
                size,
                source: source(),
            };
            self.entries.extend([About::Height, About::Width].map(side));
        }
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        if !path.is_file() {
            return None;
        }
        let fault = match files::text(path, Kind::CONFIGURATION) {
            Ok(text) => return Some(text),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                "is too large for a configuration and is not read"
            }
            Err(_) => "cannot be read and is left out",
        };
        self.notes.push(format!("`{}` {fault}", path.display()));
        None
    }

    fn json(&mut self, path: &Path, name: &str) {
        let Some(text) = self.text(path) else { return };
        let Ok(value) = serde_json::from_str::<Value>(&text) else {
            self.notes
                .push(format!("`{}` is no JSON and is left out", path.display()));
            return;
        };
        let source = |key: &str| SizeSource::File {
            entry: format!("{name}: {key}"),
        };
        let is_off = |key: &str| at(&value, key).and_then(Value::as_bool) == Some(false);
        for (_, key, step) in SIDES.iter().filter(|(file, ..)| *file == name) {
            let told = at(&value, key)
                .filter(|_| !step.is_some_and(is_off))
                .map(sides::of_value)
                .unwrap_or_default();
            for (about, size, way) in told {
                self.entries.push(Entry {
                    about,
                    size,
                    source: source(&format!("{key}{way}")),
                });
            }
        }
        for (_, key, about) in KEYS.iter().filter(|(file, ..)| *file == name) {
            let size = at(&value, key).and_then(Value::as_u64);
            self.entries.extend(size.map(|size| Entry {
                about: about.clone(),
                size,
                source: source(key),
            }));
        }
        if self.classes.is_empty() && name == FILES[0] {
            self.classes = CLASSES
                .iter()
                .find_map(|key| classes::of_json(at(&value, key)?))
                .unwrap_or_default();
        }
    }

    fn triton(&mut self, text: &str) {
        for (name, axis, size) in triton::axes(text) {
            let source = SizeSource::File {
                entry: format!("{TRITON}: dims of {name}"),
            };
            self.entries.push(Entry {
                about: About::Axis(name, axis),
                size,
                source,
            });
        }
    }
}

/// The value at a key with dots between its levels.
fn at<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    key.split('.')
        .try_fold(value, |value, level| value.get(level))
}

/// The whole numbers in a text such as `[640, 640]`.
fn numbers(text: &str) -> Vec<u64> {
    let words = text.split(|letter: char| !letter.is_ascii_digit());
    words
        .filter(|word| !word.is_empty())
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(about: About, size: u64, entry: &str) -> Entry {
        Entry {
            about,
            size,
            source: SizeSource::File {
                entry: entry.to_owned(),
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
        let first = |text: &str| read(name, text).entries.into_iter().next();
        let expect =
            |key: &str, size: u64| Some(entry(About::Height, size, &format!("{name}: {key}")));
        let crop = r#""size": {"shortest_edge": 256}, "crop_size": {"height": 96, "width": 96}"#;
        assert_eq!(
            first(&format!("{{{crop}}}")),
            expect("crop_size.height", 96)
        );
        assert_eq!(
            first(&format!(r#"{{"do_center_crop": true, {crop}}}"#)),
            expect("crop_size.height", 96)
        );
        assert_eq!(
            first(&format!(r#"{{"do_center_crop": false, {crop}}}"#)),
            expect("size.shortest_edge", 256)
        );
        assert_eq!(
            first(&format!(
                r#"{{"do_center_crop": false, "do_resize": false, {crop}}}"#
            )),
            None
        );
        assert_eq!(
            first(r#"{"size": {"height": 64, "width": 48}, "crop_size": 32}"#),
            expect("crop_size", 32)
        );
        assert_eq!(
            first(r#"{"size": 48, "crop_size": {"shortest_edge": 32}}"#),
            expect("crop_size.shortest_edge", 32)
        );
        assert_eq!(
            first(r#"{"size": 48, "do_center_crop": true}"#),
            expect("size", 48)
        );
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
