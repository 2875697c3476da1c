//! Sizes and classes in a model's own metadata.

use std::collections::BTreeMap;

use super::{Beside, Entry, SANE, classes, sides};
use crate::inputs::about::About;
use crate::record::SizeSource;

const METADATA_SIDES: [&str; 4] = ["imgsz", "image_size", "input_size", "img_size"];

const METADATA_CLASSES: [&str; 5] = ["names", "class_names", "classes", "labels", "id2label"];

const STRIDE: &str = "stride";

/// The metadata's key for what a model does, and the sides of the images that models which do that
/// are trained on.
const TASK: &str = "task";

const TASKS: [(&str, u64); 5] = [
    ("detect", 640),
    ("segment", 640),
    ("pose", 640),
    ("obb", 1024),
    ("classify", 224),
];

impl Beside {
    pub(super) fn metadata(&mut self, metadata: &BTreeMap<String, String>) {
        for key in METADATA_SIDES {
            let text = metadata.get(key).map_or("", String::as_str);
            for (about, size) in sides::of_numbers(&numbers(text)) {
                self.entries.push(entry(key, about, size));
            }
        }
        self.stride = metadata.get(STRIDE).and_then(|text| stride(text));
        let classes = METADATA_CLASSES
            .iter()
            .find_map(|key| classes::of_text(metadata.get(*key)?));
        self.classes = classes.unwrap_or_default();
    }

    /// The sides of images by what the model does, where nothing says them.
    pub(super) fn task(&mut self, metadata: &BTreeMap<String, String>) {
        let task = metadata.get(TASK).map(|task| task.trim());
        let Some(&(_, size)) = TASKS.iter().find(|(name, _)| Some(*name) == task) else {
            return;
        };
        if !self.has_sides() {
            let sides = [About::Height, About::Width].map(|about| entry(TASK, about, size));
            self.entries.extend(sides);
        }
    }

    fn has_sides(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.about, About::Height | About::Width))
    }
}

/// A model with several scales has a stride for each.
fn stride(text: &str) -> Option<u64> {
    numbers(text)
        .into_iter()
        .max()
        .filter(|stride| (2..SANE).contains(stride))
}

fn entry(key: &str, about: About, size: u64) -> Entry {
    Entry {
        about,
        size,
        source: SizeSource::Metadata { key: key.into() },
    }
}

/// The whole numbers in a text such as `[640, 640]`.
fn numbers(text: &str) -> Vec<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .filter_map(|word| word.parse().ok())
        .collect()
}
