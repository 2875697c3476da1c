//! Numbers that operators usually take where an operand says how much to do: counts, sizes,
//! thresholds.

use super::flow::Call;
use super::place;

/// Candidates of a `TopK`.
const TOP: f64 = 10.0;
/// Tokens that a search generates.
const GENERATED: f64 = 16.0;

/// Numbers, the best first, and what the operand is, to be put before the operator.
type Usual = (Vec<f64>, &'static str);

/// Numbers whatever the data is.
fn fixed(operator: &str, operand: usize) -> Option<Usual> {
    let (values, reason): (&[f64], _) = match (operator, operand) {
        ("Loop", 0) => (&[1.0, 2.0], "the turns of"),
        ("Range", 0) => (&[0.0], "the beginning of"),
        ("Range", 1) => (&[1.0, 2.0], "the end of"),
        ("Range", 2) => (&[1.0], "the step of"),
        ("Slice", 1) => (&[0.0], "the beginning of"),
        ("Slice", 4) => (&[1.0], "the step of"),
        ("Expand", 1) => (&[1.0], "the shape in"),
        ("Reshape", 1) => (&[0.0, 1.0], "the shape in"),
        ("Tile" | "Col2Im" | "STFT", 1) | ("ConstantOfShape", 0) => (&[1.0], "a size in"),
        ("OneHot", 1) => (&[10.0], "the number of classes in"),
        ("SequenceAt" | "SequenceErase", 1) | ("SequenceInsert", 2) => (&[0.0], "the place in"),
        ("HannWindow" | "HammingWindow" | "BlackmanWindow", 0) => (&[16.0], "the size of"),
        ("Pad", 1) => (&[0.0], "the padding of"),
        ("Trilu", 1) => (&[0.0], "the diagonal of"),
        ("Resize", 2) | ("Upsample", 1) => (&[1.0, 2.0], "the scale of"),
        ("Dropout", 1) => (&[0.5], "the rate of"),
        ("Dropout", 2) => (&[0.0], "whether training goes on in"),
        ("NonMaxSuppression", 2) => (&[100.0], "the most boxes of"),
        ("NonMaxSuppression", 3) => (&[0.5], "the overlap in"),
        ("NonMaxSuppression", 4) => (&[0.25], "the least score in"),
        ("Clip", 1) => (&[0.0], "the least number in"),
        ("Clip", 2) => (&[1.0], "the largest number in"),
        _ => return None,
    };
    Some((values.to_vec(), reason))
}

impl Call<'_> {
    /// The numbers that an operand usually is.
    pub(super) fn usual_numbers(self, operand: usize) -> Option<Usual> {
        let operator = self.operator();
        self.usual_sizes(&operator, operand)
            .or_else(|| self.of_search(&operator, operand))
            .or_else(|| fixed(&operator, operand))
    }

    /// Numbers that follow from the size of the data.
    fn usual_sizes(self, operator: &str, operand: usize) -> Option<Usual> {
        match (operator, operand) {
            ("TopK", 1) => {
                let size = self.size_along(self.integer("axis", -1));
                let most = size.map_or(1.0, |size| size.min(TOP));
                Some((vec![most, 1.0], "the number of best ones in"))
            }
            ("Slice", 2) => Some((vec![self.end()], "the end of")),
            ("Resize", 3) | ("CenterCropPad", 1) => Some((self.resized(operand), "a size in")),
            _ => None,
        }
    }

    fn size_along(self, axis: i64) -> Option<f64> {
        let dims = self.dims(0)?;
        dims[place(axis, dims.len())?].map(|size| size as f64)
    }

    /// The end of the data along the axis that a slice cuts, or far behind it.
    fn end(self) -> f64 {
        let axis = self.constant(3).and_then(|axes| axes.first());
        self.size_along(axis.map_or(0, |&axis| axis as i64))
            .unwrap_or(f64::from(i32::MAX))
    }

    fn resized(self, operand: usize) -> Vec<f64> {
        // One size for samples and channels as well is refused, or far too much.
        if self.size(operand, 0).is_some_and(|count| count > 2.0) {
            return vec![1.0];
        }
        let size = self
            .size_along(-1)
            .or_else(|| self.size_along(-2))
            .or(self.flow.image_size);
        vec![size.unwrap_or(1.0), 1.0]
    }

    fn of_search(self, operator: &str, operand: usize) -> Option<Usual> {
        let beams = match operator {
            "com.microsoft.BeamSearch" => true,
            "com.microsoft.GreedySearch" | "com.microsoft.Sampling" => false,
            _ => return None,
        };
        let (value, reason) = match (operand, beams) {
            (1, _) => {
                let prompt = self.size_along(-1).unwrap_or(1.0);
                (prompt + GENERATED, "the most tokens of")
            }
            (2, _) => (1.0, "the fewest tokens of"),
            (3, true) => return Some((vec![4.0, 1.0], "the beams of")),
            (4, true) => (1.0, "the results of"),
            (5 | 6, true) | (3, false) => (1.0, "a penalty in"),
            (7 | 8, true) | (4 | 5, false) => (1.0, "the words allowed in"),
            _ => return None,
        };
        Some((vec![value], reason))
    }
}
