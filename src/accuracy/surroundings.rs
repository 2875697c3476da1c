//! Inputs of a model, and names of its outputs, as signs of what the outputs hold.

use crate::inputs::InputPlan;
use crate::plan::ElementType;
use crate::record::{FedInput, SizeSource};

/// Words in the names of outputs that hold scores of classes.
const SCORES: [&str; 5] = ["logit", "score", "prob", "softmax", "class"];
/// Those of them that nothing else is called by.
const SURE_SCORES: [&str; 3] = ["logit", "prob", "softmax"];
/// Words in the names of what a model computes with: no scores, and no pictures.
const INNER: [&str; 12] = [
    "present",
    "past",
    "cache",
    "state",
    "hidden",
    "memory",
    "attention",
    "attn",
    "embed",
    "feature",
    "encod",
    "pool",
];
/// The same, where they are words of their own.
const INNER_WORDS: [&str; 6] = ["key", "keys", "value", "values", "kv", "mem"];
/// Words in the names of pictures.
const PICTURES: [&str; 7] = [
    "pixel", "image", "img", "picture", "photo", "sample", "latent",
];
/// Colours that a picture has: grey, three, or three and transparency.
const COLOURS: [usize; 3] = [1, 3, 4];
/// Sides from which on something is a picture, and how much longer one may be than the other.
const LEAST_SIDE: usize = 8;
const LONGEST_SIDE: usize = 4;

/// The inputs of a model, one sample at a time, and the classes that its file names.
#[derive(Debug, Default)]
pub struct Surroundings {
    inputs: Vec<Given>,
    outputs_count: usize,
    /// Outputs that a product with a stored matrix gives, as scores of classes come.
    products: Vec<String>,
}

#[derive(Clone, Debug)]
struct Given {
    name: String,
    element_type: ElementType,
    /// Sizes without that of the batch, and whether the model fixes each.
    dims: Vec<(usize, bool)>,
}

#[derive(Clone, Copy)]
struct Picture {
    colours: usize,
    height: usize,
    width: usize,
}

impl Picture {
    /// The picture that a shape without its batch is of, colours first or last.
    fn of(shape: &[usize]) -> Option<Picture> {
        let (colours, height, width) = match *shape {
            [colours, height, width] | [height, width, colours] if COLOURS.contains(&colours) => {
                (colours, height, width)
            }
            _ => return None,
        };
        let (short, long) = (height.min(width), height.max(width));
        (short >= LEAST_SIDE && long <= LONGEST_SIDE * short).then_some(Picture {
            colours,
            height,
            width,
        })
    }

    /// Whether it is another picture scaled by a whole factor: squares of patches are as square as
    /// pictures.
    fn is_scaled(self, other: Picture) -> bool {
        let is_alike = other.height * self.width == other.width * self.height;
        is_alike
            && (self.height.is_multiple_of(other.height)
                || other.height.is_multiple_of(self.height))
    }
}

impl Given {
    fn of(fed: &FedInput) -> Given {
        let sizes = fed.dims.iter().enumerate();
        let dims: Vec<(usize, bool)> = sizes
            .filter_map(|(axis, size)| {
                let is_fixed = matches!(fed.sources.get(axis), Some(SizeSource::Fixed));
                Some(((*size)? as usize, is_fixed))
            })
            .collect();
        Given {
            name: fed.name.exact().to_lowercase(),
            element_type: fed.element_type,
            dims,
        }
    }

    fn shape(&self) -> Vec<usize> {
        self.dims.iter().map(|&(size, _)| size).collect()
    }

    /// Whether it holds floating-point numbers of a shape that differs from this one in one size at
    /// most.
    fn is_nearly(&self, shape: &[usize]) -> bool {
        let own = self.shape();
        let own = without_one(&own);
        let unlike = own
            .iter()
            .zip(shape)
            .filter(|(one, other)| one != other)
            .count();
        self.element_type.is_float() && own.len() == shape.len() && unlike <= 1
    }

    fn is_vector(&self) -> bool {
        self.shape().iter().filter(|&&size| size > 1).count() <= 1
    }

    /// Whether it holds whole numbers or truth values along a sequence: tokens, positions, what is
    /// masked.
    fn is_sequence(&self) -> bool {
        match self.element_type {
            // More dimensions may be those of pixels.
            ElementType::Uint8 | ElementType::Int8 => self.dims.len() == 1,
            ElementType::Bool => !self.dims.is_empty(),
            whole => whole.is_integer() && !self.dims.is_empty(),
        }
    }

    /// The picture that it is. Of a table of frames by bands one side alone is open.
    fn picture(&self) -> Option<Picture> {
        let may_be = self.element_type.is_float() || self.element_type == ElementType::Uint8;
        let sides: Vec<bool> = self
            .dims
            .iter()
            .filter(|(size, _)| *size >= LEAST_SIDE)
            .map(|&(_, fixed)| fixed)
            .collect();
        let is_table = sides.contains(&true) && sides.contains(&false);
        Picture::of(without_one(&self.shape()))
            .filter(|_| may_be && !is_table && !is_inner(&self.name))
    }
}

/// A shape without a first axis of 1, where four are left: a batch that the model does not know as
/// one.
fn without_one(shape: &[usize]) -> &[usize] {
    if shape.len() == 4 && shape[0] == 1 {
        &shape[1..]
    } else {
        shape
    }
}

/// Whether a name says that something is kept, or is what the model computes with.
fn is_inner(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_alphanumeric());
    says(name, &INNER) || words.any(|word| INNER_WORDS.contains(&word))
}

fn says(name: &str, words: &[&str]) -> bool {
    let lower = name.to_lowercase();
    words.iter().any(|word| lower.contains(word))
}

impl Surroundings {
    /// The surroundings that a plan of inputs shows.
    #[must_use]
    pub fn of(plan: &InputPlan) -> Self {
        Surroundings {
            inputs: plan.fed.iter().map(Given::of).collect(),
            outputs_count: plan.outputs.len(),
            products: plan.classes.products.clone(),
        }
    }

    pub(super) fn names_inner(output: &str) -> bool {
        is_inner(output) && !says(output, &SCORES)
    }

    /// Whether a sequence that is fed has this length.
    pub(super) fn is_length(&self, size: usize) -> bool {
        self.lengths().any(|length| length == size)
    }

    /// Sizes of the inputs that lie along sequences.
    fn lengths(&self) -> impl Iterator<Item = usize> {
        let sequences = self.inputs.iter().filter(|given| given.is_sequence());
        sequences.flat_map(Given::shape)
    }

    /// Whether rows of an output that are as many as the elements of a sequence hold a score for
    /// each class.
    pub(super) fn gives_scores(&self, output: &str) -> bool {
        let is_product = self.products.iter().any(|product| product == output);
        says(output, &SCORES) || (is_product && !is_inner(output))
    }

    /// Whether an output's name alone says that it holds scores of classes.
    pub(super) fn names_scores(output: &str) -> bool {
        says(output, &SURE_SCORES) && !is_inner(output)
    }

    /// Whether an output of this shape is a picture, one sample without its batch: where its sides
    /// are no lengths of sequences, nothing of its shape is fed to be kept, and a picture of the
    /// same proportions is fed, or what pictures are made from.
    pub(super) fn is_picture(&self, output: &str, shape: &[usize]) -> bool {
        let shape = without_one(shape);
        let Some(picture) = Picture::of(shape) else {
            return false;
        };
        let is_length = self.is_length(picture.height) || self.is_length(picture.width);
        !is_inner(output) && !is_length && !self.is_kept(picture, shape) && self.supports(picture)
    }

    /// Whether an input differs in one size at most, beside other inputs and outputs: a state that
    /// comes back.
    fn is_kept(&self, picture: Picture, shape: &[usize]) -> bool {
        let floats = self
            .inputs
            .iter()
            .filter(|given| given.element_type.is_float() && given.dims.len() > 1);
        let has_others = self.outputs_count > 1 && (floats.count() > 1 || self.has_sequence());
        has_others
            && (picture.colours != 3 || self.has_sequence())
            && self.inputs.iter().any(|given| given.is_nearly(shape))
    }

    fn has_sequence(&self) -> bool {
        self.lengths().any(|length| length > 1)
    }

    fn supports(&self, picture: Picture) -> bool {
        let has_sequence = self.has_sequence();
        let mut pictures = self
            .inputs
            .iter()
            .filter(|given| !has_sequence || says(&given.name, &PICTURES))
            .filter_map(Given::picture)
            .peekable();
        if pictures.peek().is_some() {
            return pictures.any(|fed| picture.is_scaled(fed));
        }
        !has_sequence && picture.colours != 4 && self.inputs.iter().all(Given::is_vector)
    }
}

#[cfg(test)]
impl Surroundings {
    pub(super) fn of_tokens(count: usize) -> Self {
        Surroundings {
            inputs: vec![Given {
                name: "x".into(),
                element_type: ElementType::Int64,
                dims: vec![(count, false)],
            }],
            ..Surroundings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, element_type: ElementType, shape: &[usize]) -> Given {
        let dims = shape.iter().map(|&size| (size, false)).collect();
        Given {
            name: name.into(),
            element_type,
            dims,
        }
    }

    fn float(name: &str, shape: &[usize]) -> Given {
        given(name, ElementType::Float, shape)
    }

    fn whole(name: &str, shape: &[usize]) -> Given {
        given(name, ElementType::Int64, shape)
    }

    fn around(inputs: &[Given], outputs_count: usize) -> Surroundings {
        Surroundings {
            inputs: inputs.to_vec(),
            outputs_count,
            products: vec!["y0".into()],
        }
    }

    #[test]
    fn pictures_come_from_pictures_of_the_same_proportions() {
        for (fed, output, shape, is_picture) in [
            (&[1, 64, 64][..], "made larger", &[1, 192, 192][..], true),
            (&[3, 48, 64], "y", &[3, 48, 64], true),
            (&[4, 32, 32], "y", &[3, 256, 256], true),
            (
                &[1, 3, 48, 64],
                "a batch that is none",
                &[1, 3, 48, 64],
                true,
            ),
            (&[64, 64, 3], "colours last", &[64, 64, 1], true),
            (&[100], "made of a vector", &[3, 64, 64], true),
            (&[3, 56, 56], "of patches", &[3, 49, 49], false),
            (&[3, 64, 64], "two are no colours", &[2, 64, 64], false),
            (&[3, 64, 64], "other proportions", &[4, 50, 64], false),
            (&[3, 64, 64], "attention", &[3, 64, 64], false),
            (&[128, 64], "y", &[1, 128, 64], false),
        ] {
            let around = around(&[float("x", fed)], 1);
            assert_eq!(
                around.is_picture(output, shape),
                is_picture,
                "{fed:?}: {output}"
            );
        }
        let bands = Given {
            dims: vec![(1, true), (80, true), (100, false)],
            ..float("x", &[])
        };
        let around = around(&[bands], 1);
        assert!(!around.is_picture("frames by bands", &[1, 80, 100]));
    }

    #[test]
    fn pictures_are_made_of_others_beside_times_and_words() {
        for (fed, beside) in [
            (float("x", &[4, 64, 64]), whole("t", &[])),
            (float("sample", &[4, 64, 64]), whole("ids", &[77])),
        ] {
            assert!(around(&[fed, beside], 1).is_picture("y", &[4, 64, 64]));
        }
    }

    #[test]
    fn what_a_decoder_or_a_stream_keeps_is_no_picture() {
        let named = [whole("ids", &[1]), float("past.0.key", &[4, 128, 32])];
        let nameless = [
            whole("x0", &[1]),
            whole("x1", &[129]),
            float("x2", &[3, 128, 64]),
        ];
        let as_long_as_the_tokens = [whole("x0", &[128]), float("x2", &[3, 0, 64])];
        let one_size_differs = [whole("x0", &[16]), float("x2", &[1, 128, 64])];
        let stream = [float("x0", &[1, 160]), float("x1", &[1, 64, 32])];
        for (fed, output, shape) in [
            (&named[..], "present.0.key", [4, 129, 32]),
            (&nameless, "y1", [3, 129, 64]),
            (&as_long_as_the_tokens, "y1", [3, 128, 64]),
            (&one_size_differs, "y1", [1, 144, 64]),
            (&stream, "y1", [1, 64, 32]),
            (&stream, "cache", [3, 64, 32]),
        ] {
            let around = around(fed, 2);
            assert!(!around.is_picture(output, &shape), "{output} {shape:?}");
        }
    }

    #[test]
    fn rows_along_a_sequence_hold_scores_by_their_name_or_their_product() {
        let words = around(
            &[whole("x0", &[128]), given("x1", ElementType::Bool, &[144])],
            1,
        );
        assert!(words.is_length(128) && words.is_length(144) && !words.is_length(64));
        assert!(
            words.gives_scores("y0") && words.gives_scores("logits") && !words.gives_scores("y1")
        );
        let hidden = Surroundings {
            products: vec!["last_hidden_state".into()],
            ..around(&[], 1)
        };
        assert!(!hidden.gives_scores("last_hidden_state"));
        assert!(
            Surroundings::names_scores("pred_logits")
                && !Surroundings::names_scores("attention_probs")
        );
        assert!(
            Surroundings::names_inner("token_embeddings")
                && !Surroundings::names_inner("attention_scores_logits")
        );
        assert!(
            !around(&[given("x", ElementType::Uint8, &[64, 64, 3])], 1).is_length(64),
            "pixels"
        );
    }
}
