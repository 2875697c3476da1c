//! Why inputs cannot be made.

mod hint;

use std::io;
use std::path::{Path, PathBuf};

use super::wanted::Channels;
use crate::memory::{self, TooMuch};
use crate::onnx::OnnxError;
use crate::plan::ElementType;
use crate::units::Bytes;

/// Result of making inputs.
pub type Result<T, E = InputError> = std::result::Result<T, E>;

/// Why inputs cannot be made for a model.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// An input is a map or a sparse tensor, by its type in words.
    #[error(
        "input `{0}` has type {1}; only tensors and sequences of tensors, optional or not, are fed"
    )]
    UnsupportedType(String, String),
    /// Elements of an input have a type that ONNX Runtime has no tensors of, or that is not known
    /// here.
    #[error("input `{}` has elements of type {}, {}", .0, .1, why_not(*.1))]
    UnsupportedElements(String, ElementType),
    /// The number of dimensions of an input is not known, and no data shows it.
    #[error("input `{0}` does not say how many dimensions it has")]
    UnknownRank(String),
    /// `--dim` names a dimension that no input has.
    #[error(
        "no input has a dimension `{name}`; {}",
        these("the dimensions are", present)
    )]
    UnknownDim {
        /// The name.
        name: String,
        /// The names that there are.
        present: Vec<String>,
    },
    /// `--dim` names a dimension whose size the model fixes.
    #[error("dimension `{0}` is fixed at {1} by the model")]
    FixedDim(String, u64),
    /// `--batch-dim` names a dimension to which `--dim` gives a size.
    #[error("dimension `{0}` cannot be the batch: --dim sets it to {1}")]
    BatchDim(String, u64),
    /// Sizes that were given for dimensions of which one follows from others do not agree.
    #[error(
        "dimension `{name}` is set to {size}, and {from} is {value}{}",
        with(others)
    )]
    DimsContradict {
        /// The dimension.
        name: String,
        /// The size that was given.
        size: u64,
        /// The sizes that it follows, as people write them.
        from: String,
        /// The value of that.
        value: i64,
        /// Sizes of its parts: `past` = 128.
        others: Vec<String>,
    },
    /// `--range` names an input that the model does not have.
    #[error(
        "the model has no input `{name}`; {}",
        these("its inputs are", present)
    )]
    UnknownInput {
        /// The name.
        name: String,
        /// The names that there are.
        present: Vec<String>,
    },
    /// `--range` is given for an input whose values have none.
    #[error("input `{0}` has elements of type {1}, for which a range has no meaning")]
    RangeType(String, ElementType),
    /// `--range` goes beyond the type of the elements, or holds no whole number.
    #[error("the range {low}..{high} of input `{input}` has no value that is a {element_type}")]
    RangeEmpty {
        /// Name of the input.
        input: String,
        /// Smallest value asked for.
        low: f64,
        /// Largest value asked for.
        high: f64,
        /// Type of the elements.
        element_type: ElementType,
    },
    /// A tensor would have more elements than memory has room for.
    #[error("input `{0}` would have the shape {1:?}, which is too large")]
    TooLarge(String, Vec<u64>),
    /// Inputs would take more memory than there is.
    #[error("{reason}{}", that_fits(*.fitting))]
    BatchMemory {
        /// A batch size that there is memory for.
        fitting: Option<u64>,
        /// How much they would take, and how much there is.
        reason: TooMuch,
    },
    /// The content of a data file would take more memory than there is.
    #[error("`{}` does not fit into memory", .0.display())]
    Memory(PathBuf, #[source] TooMuch),
    /// A data file cannot be opened or read.
    #[error("failed to read `{}`", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// A data file is not what its name says: `.npz`, `.npy` or `.pb`; why, is a fragment of a
    /// sentence.
    #[error("`{}` is not a readable {} file: {}", .0.display(), .1, .2)]
    Format(PathBuf, &'static str, String),
    /// The data's path has no form that is known.
    #[error("`{}` is neither a .npz nor a .npy file nor a folder with `test_data_set_0`", .0.display())]
    UnknownFormat(PathBuf),
    /// A `.npy` holds one array and the model has several inputs.
    #[error("`{}` holds one array and the model has {} inputs: {}", .0.display(), .1.len(), list(.1))]
    NpyForSeveral(PathBuf, Vec<String>),
    /// Names in the data and of the model's inputs differ.
    #[error("`{}` has no array for {}: it has {}", path.display(), list(missing), list(present))]
    MissingArrays {
        /// The file.
        path: PathBuf,
        /// Inputs without data.
        missing: Vec<String>,
        /// Arrays in the file.
        present: Vec<String>,
    },
    /// An array does not fit its input.
    #[error("array `{}` of `{}` {}", .1, .0.display(), .2)]
    Array(PathBuf, String, Misfit),
    /// Arrays of one file have different numbers of samples.
    #[error("array `{input}` of `{}` has {found} samples, and `{other}` has {expected}", path.display())]
    SampleCount {
        /// The file.
        path: PathBuf,
        /// Name of the array.
        input: String,
        /// Its samples.
        found: u64,
        /// Name of the array that it is compared with.
        other: String,
        /// Samples of that one.
        expected: u64,
    },
    /// There are not as many labels as samples.
    #[error("`{}` has {labels} labels for {samples} samples", path.display())]
    LabelCount {
        /// The file that holds the labels.
        path: PathBuf,
        /// Number of labels.
        labels: u64,
        /// Number of samples.
        samples: u64,
    },
    /// A file does not hold labels in a form that is known.
    #[error("`{}` has no labels that are understood: {}", .0.display(), .1)]
    LabelFile(PathBuf, String),
    /// Labels are given without data that they could label.
    #[error("labels `{}` are given without data", .0.display())]
    LabelsAlone(PathBuf),
    /// The data has no samples.
    #[error("`{}` has no samples", .0.display())]
    NoSamples(PathBuf),
    /// Test sets in a folder whose samples of an input differ in shape cannot form one batch of so
    /// many.
    #[error("samples of `{}` in `{}` differ in shape and cannot form a batch of {}", .1, .0.display(), .2)]
    Ragged(PathBuf, String, u64),
    /// The model cannot be fed this batch size.
    #[error("batch size {0} cannot be fed: {1}")]
    BatchSize(u64, String),
    /// Nothing that was tried runs.
    #[error("found no inputs that the model runs with: {open}; tried {}", tried.join("; "))]
    NothingRuns {
        /// The inputs and their open dimensions, as a fragment of a sentence.
        open: String,
        /// Shapes that were fed, one a trial.
        tried: Vec<String>,
        /// The options that would say what to feed.
        remedy: String,
        /// The runtime's words on the last trial.
        #[source]
        words: RuntimeWords,
    },
    /// The model file cannot be read.
    #[error(transparent)]
    Model(#[from] OnnxError),
}

/// Errors of a file, to be made of what was wrong with it.
impl InputError {
    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> InputError + Copy {
        move |source| InputError::Read(path.to_owned(), source)
    }

    pub(super) fn format(
        path: &Path,
        ending: &'static str,
    ) -> impl Fn(String) -> InputError + Copy {
        move |reason| InputError::Format(path.to_owned(), ending, reason)
    }
}

/// Fails where what a file holds would take more than so many bytes of memory that are there.
pub(super) fn ask(path: &Path, needed: u64, what: &str) -> Result<()> {
    memory::ask(Bytes(needed), || what.to_owned())
        .map_err(|reason| InputError::Memory(path.to_owned(), reason))
}

/// Why an array does not fit its input.
#[derive(Debug, thiserror::Error)]
pub enum Misfit {
    /// Its shape does not.
    #[error("has shape {found}, and the model wants {expected}{}", in_another_order(*.channels))]
    Shape {
        /// Shape of the array.
        found: String,
        /// Shape of the input.
        expected: String,
        /// Where the array has the dimension that the model wants elsewhere, if it would fit with
        /// that in its place.
        channels: Option<Channels>,
    },
    /// It holds objects of Python's, which are stored as programs.
    #[error("holds Python objects, which only Python can read; the model wants {0}")]
    Objects(ElementType),
    /// It has whole numbers where the model wants floating-point ones, whose scale only the user
    /// knows.
    #[error("has elements of type {0}, and the model wants {1}")]
    WholeForFloat(String, ElementType),
    /// One of its values is looked up in a table that does not have it.
    #[error("holds {value}, and the model takes {low} to {high}: it {reason}")]
    OutOfTable {
        /// The value.
        value: f64,
        /// Smallest value that can be looked up.
        low: f64,
        /// Largest value that can be looked up.
        high: f64,
        /// The operator that looks it up, as a fragment of a sentence.
        reason: String,
    },
    /// Its element type is not the input's.
    #[error("has elements of type {0}, and the model wants {1}")]
    ElementType(String, ElementType),
}

/// The runtime's words on inputs that it refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuntimeWords(pub String);

fn with(sizes: &[String]) -> String {
    if sizes.is_empty() {
        String::new()
    } else {
        format!(" with {}", sizes.join(" and "))
    }
}

fn why_not(element_type: ElementType) -> &'static str {
    match element_type {
        ElementType::Undefined => "a type that is not known here",
        _ => "of which ONNX Runtime has no tensors",
    }
}

fn in_another_order(channels: Option<Channels>) -> &'static str {
    if channels.is_some() {
        ": its dimensions are in another order"
    } else {
        ""
    }
}

fn that_fits(batch_size: Option<u64>) -> String {
    batch_size
        .map(|size| format!("; a batch size of {size} would fit"))
        .unwrap_or_default()
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "nothing".to_owned();
    }
    format!("`{}`", names.join("`, `"))
}

fn these(lead: &str, names: &[String]) -> String {
    if names.is_empty() {
        "there are none".to_owned()
    } else {
        format!("{lead} {}", list(names))
    }
}
