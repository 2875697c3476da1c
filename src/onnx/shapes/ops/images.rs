//! Operators on images and signals: other sizes, other layouts, spectra, boxes.

use super::{Call, Dims, Expr, Made, axes, len, number, unknown};
use crate::onnx::AttributeValue;

/// Denominators of scales that are followed: halves, quarters and so on, which floating point holds
/// exactly.
const DENOMINATORS: [i64; 6] = [1, 2, 4, 8, 16, 32];

impl Call<'_> {
    pub(super) fn imaged(&self) -> Made {
        let made = match self.operator() {
            "Resize" => self.resize(),
            "Upsample" => self.upsample(),
            "DepthToSpace" => self.depth_to_space(),
            "SpaceToDepth" => self.space_to_depth(),
            "GridSample" => self.grid_sample(),
            "AffineGrid" => self.affine_grid(),
            "NonMaxSuppression" => Some(vec![Expr::Unknown, number(3)]),
            "RoiAlign" | "MaxRoiPool" => self.regions(),
            "STFT" => self.stft(),
            "DFT" => self.dft(),
            "HannWindow" | "HammingWindow" | "BlackmanWindow" => Some(vec![self.size(0)]),
            "MelWeightMatrix" => self.mel(),
            _ => return None,
        };
        Some(vec![made])
    }

    fn resize(&self) -> Dims {
        let rank = self.dims(0)?.len();
        self.resized();
        let axes = match self.integers("axes") {
            Some(numbers) => axes(&numbers, rank),
            None => (0..rank).collect(),
        };
        let sizes = self.input(3).map(|sizes| sizes.dims.as_deref());
        let made = match () {
            () if self.text("keep_aspect_ratio_policy").starts_with("not_") => None,
            () if sizes.is_some_and(|sizes| sizes != Some(&[number(0)])) => self.sized(&axes),
            () => self.scaled(&axes, if self.inputs.len() == 2 { 1 } else { 2 }),
        };
        made.or_else(|| unknown(rank))
    }

    fn upsample(&self) -> Dims {
        let rank = self.dims(0)?.len();
        let axes: Vec<usize> = (0..rank).collect();
        self.scaled(&axes, 1).or_else(|| unknown(rank))
    }

    /// Axes that are as long as an input says.
    fn sized(&self, axes: &[usize]) -> Dims {
        let sizes = self.elements(3)?;
        let fits = sizes.len() == axes.len();
        self.along(axes, sizes.iter().cloned()).filter(|_| fits)
    }

    fn scaled(&self, axes: &[usize], index: usize) -> Dims {
        let (dims, scales) = (self.dims(0)?, self.scales(index)?);
        let sizes = axes.iter().zip(&scales);
        let sizes = sizes.map(|(&axis, scale)| scaled_size(&dims[axis], *scale));
        let fits = scales.len() == axes.len();
        self.along(axes, sizes).filter(|_| fits)
    }

    /// The sizes with these on some axes.
    fn along(&self, axes: &[usize], sizes: impl Iterator<Item = Expr>) -> Dims {
        let mut made = self.owned(0)?;
        for (&axis, size) in axes.iter().zip(sizes) {
            made[axis] = size;
        }
        Some(made)
    }

    fn scales(&self, index: usize) -> Option<Vec<f64>> {
        match self.node.attribute("scales") {
            Some(AttributeValue::Numbers(values)) => Some(values.clone()),
            _ => self.given_scales(index),
        }
    }

    /// Scales that are stored, or that follow from sizes as whole numbers.
    fn given_scales(&self, index: usize) -> Option<Vec<f64>> {
        let stored = self.input(index)?.fractions.clone();
        stored.or_else(|| {
            let scales = self.numbers(index)?.into_iter();
            Some(scales.map(|scale| scale as f64).collect())
        })
    }

    fn depth_to_space(&self) -> Dims {
        let [batch, channels, height, width] = self.array(0)?;
        let block = self.node.integer("blocksize")?;
        let area = block.checked_mul(block)?;
        self.multiple(channels, area, format_args!("parts channels by {area}"));
        let channels = channels.over(&number(area));
        let [height, width] = [height, width].map(|size| size.times(&number(block)));
        Some(vec![batch.clone(), channels, height, width])
    }

    fn space_to_depth(&self) -> Dims {
        let [batch, channels, height, width] = self.array(0)?;
        let block = self.node.integer("blocksize")?;
        self.resized();
        for size in [height, width] {
            self.multiple(size, block, format_args!("takes blocks of {block}"));
        }
        let channels = channels.times(&number(block.checked_mul(block)?));
        let [height, width] = [height, width].map(|size| size.over(&number(block)));
        Some(vec![batch.clone(), channels, height, width])
    }

    fn grid_sample(&self) -> Dims {
        let (_, places) = self.dims(1)?.split_last()?;
        Some([self.dims(0)?.get(..2)?, places.get(1..)?].concat())
    }

    fn affine_grid(&self) -> Dims {
        let size = self.elements(1)?;
        let places = size.get(2..)?;
        Some([&size[..1], places, &[len(Some(places))]].concat())
    }

    fn regions(&self) -> Dims {
        let (batch, channels) = (self.dims(1)?.first()?, self.dims(0)?.get(1)?);
        let shape = match self.integers("pooled_shape") {
            Some(shape) => shape.try_into().ok()?,
            None => ["output_height", "output_width"].map(|name| self.integer(name, 1)),
        };
        let [height, width] = shape.map(number);
        Some(vec![batch.clone(), channels.clone(), height, width])
    }

    fn stft(&self) -> Dims {
        self.dims(0)?;
        self.frames().or_else(|| unknown(4))
    }

    fn frames(&self) -> Dims {
        let [batch, length, ..] = self.dims(0)? else {
            return None;
        };
        self.sampled(length);
        let step = self.first_number(1).filter(|&step| step > 0)?;
        let frame = self.first_number(3).or(self.list_len(2))?;
        self.at_least(
            length,
            frame,
            format_args!("takes frames of {frame} samples"),
        );
        let steps = length.minus(&number(frame)).over(&number(step));
        let bins = match self.integer("onesided", 1) {
            1 => frame / 2 + 1,
            _ => frame,
        };
        let frames = steps.plus(&number(1));
        Some(vec![batch.clone(), frames, number(bins), number(2)])
    }

    fn dft(&self) -> Dims {
        let mut made = self.owned(0)?;
        if !self.is_plain() {
            return unknown(made.len());
        }
        *made.last_mut()? = number(2);
        Some(made)
    }

    /// Whether a spectrum is as long as what it is of.
    fn is_plain(&self) -> bool {
        let mut flags = ["onesided", "inverse"].into_iter();
        self.input(1).is_none() && flags.all(|name| self.integer(name, 0) == 0)
    }

    fn mel(&self) -> Dims {
        let bins = self.size(1).over(&number(2)).plus(&number(1));
        Some(vec![bins, self.size(0)])
    }
}

fn scaled_size(size: &Expr, scale: f64) -> Expr {
    if let Some(size) = size.number() {
        return number((size as f32 * scale as f32).floor() as i64);
    }
    let part = DENOMINATORS
        .into_iter()
        .find(|&part| (scale * part as f64).fract() == 0.0 && scale > 0.0);
    part.map(|part| {
        let times = number((scale * part as f64) as i64);
        size.times(&times).over(&number(part))
    })
    .unwrap_or_default()
}
