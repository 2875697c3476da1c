//! Operators that slide a window over places: convolutions and pools.

use super::{Call, Dims, Expr, Made, number, numbers, unknown};

impl Call<'_> {
    pub(super) fn slid(&self) -> Made {
        let made = match self.operator() {
            "Conv" | "FusedConv" | "ConvInteger" => self.convolution(1),
            "QLinearConv" => self.convolution(3),
            "ConvTranspose" => self.transposed(),
            "MaxPool" | "AveragePool" | "LpPool" | "QLinearAveragePool" => {
                return Some(vec![self.pool(); 2]);
            }
            "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" | "QLinearGlobalAveragePool" => {
                self.global_pool()
            }
            _ => return None,
        };
        Some(vec![made])
    }

    /// Whether channels stand last, which quantized operators can say.
    fn channels_last(&self) -> bool {
        self.is_on("channels_last")
    }

    fn global_pool(&self) -> Dims {
        let mut made = self.owned(0).filter(|_| !self.channels_last())?;
        made.iter_mut().skip(2).for_each(|size| *size = number(1));
        Some(made)
    }

    /// So many numbers of an attribute, or a filler in place of each.
    fn list(&self, name: &str, filler: i64, count: usize) -> Vec<i64> {
        self.integers(name)
            .filter(|values| values.len() == count)
            .unwrap_or_else(|| vec![filler; count])
    }

    /// Channels that kernels of so many read in groups.
    fn in_groups(&self, channels: &Expr) -> Expr {
        channels.times(&number(self.integer("group", 1)))
    }

    fn convolution(&self, kernel: usize) -> Dims {
        let rank = self.dims(0).or(self.dims(kernel))?.len();
        self.convolved_with(kernel).or_else(|| unknown(rank))
    }

    fn convolved_with(&self, kernel: usize) -> Dims {
        let (data, weight) = (self.dims(0)?, self.dims(kernel)?);
        if self.channels_last() || weight.len() != data.len() || data.len() < 3 {
            return None;
        }
        let channels = self.in_groups(&weight[1]);
        self.convolved(&channels, &weight[2..]);
        let does = match channels.number() {
            Some(count) => format!("has kernels of {count} channels"),
            None => "has kernels of as many channels".into(),
        };
        self.equal(&data[1], &channels, does);
        let places = match numbers(&weight[2..]) {
            Some(kernel) => self.slid_over(&Window::of(self, kernel)),
            None => vec![Expr::Unknown; data.len() - 2],
        };
        Some([&data[..1], &weight[..1], &places].concat())
    }

    fn slid_over(&self, window: &Window) -> Vec<Expr> {
        let auto = matches!(self.text("auto_pad"), "SAME_UPPER" | "SAME_LOWER");
        let sizes = self.dims(0).unwrap_or_default().iter().skip(2);
        sizes
            .zip(0..)
            .map(|(size, axis)| {
                let reach = window.reach(axis);
                if !auto {
                    let least = reach.saturating_sub(window.padding(axis));
                    self.at_least(size, least, format_args!("has a window of {reach}"));
                }
                window.count(self, axis, size)
            })
            .collect()
    }

    fn pool(&self) -> Dims {
        let dims = self.dims(0)?;
        let kernel = self.integers("kernel_shape")?;
        if self.channels_last() || kernel.len() + 2 != dims.len() {
            return unknown(dims.len());
        }
        Some([&dims[..2], &self.slid_over(&Window::of(self, kernel))].concat())
    }

    fn transposed(&self) -> Dims {
        let (data, weight) = (self.dims(0)?, self.dims(1)?);
        if weight.len() != data.len() || data.len() < 3 {
            return None;
        }
        self.convolved(&weight[0], &weight[2..]);
        self.equal(&data[1], &weight[0], "has kernels of as many channels");
        let kernel = self.integers("kernel_shape");
        let window = Window::of(self, kernel.or_else(|| numbers(&weight[2..]))?);
        let mut made = vec![data[0].clone(), self.in_groups(&weight[1])];
        let places = 0..window.kernel.len();
        made.extend(places.map(|axis| self.grown(&window, axis, &data[axis + 2])));
        Some(made)
    }

    fn grown(&self, window: &Window, axis: usize, size: &Expr) -> Expr {
        if let Some(given) = self.integers("output_shape") {
            let others = if given.len() == window.kernel.len() {
                0
            } else {
                2
            };
            let size = given.get(axis + others).copied();
            return size.map(number).unwrap_or_default();
        }
        let stride = number(window.strides[axis]);
        let padding = match self.text("auto_pad") {
            "SAME_UPPER" | "SAME_LOWER" => return size.times(&stride),
            "VALID" => 0,
            _ => window.padding(axis),
        };
        let more = self.nth("output_padding", axis);
        let ends = window
            .reach(axis)
            .saturating_add(more)
            .saturating_sub(padding);
        size.minus(&number(1)).times(&stride).plus(&number(ends))
    }
}

struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    pads: Vec<i64>,
}

impl Window {
    fn of(call: &Call<'_>, kernel: Vec<i64>) -> Window {
        let rank = kernel.len();
        Window {
            kernel,
            strides: call.list("strides", 1, rank),
            dilations: call.list("dilations", 1, rank),
            pads: call.list("pads", 0, 2 * rank),
        }
    }

    fn reach(&self, axis: usize) -> i64 {
        self.dilations[axis]
            .saturating_mul(self.kernel[axis].saturating_sub(1))
            .saturating_add(1)
    }

    fn padding(&self, axis: usize) -> i64 {
        self.pads[axis].saturating_add(self.pads[axis + self.kernel.len()])
    }

    /// How often the window fits along an axis; with `ceil`, places that it covers in part count.
    fn count(&self, call: &Call<'_>, axis: usize, size: &Expr) -> Expr {
        let (stride, reach) = (self.strides[axis], self.reach(axis));
        let room = match call.text("auto_pad") {
            _ if stride < 1 => return Expr::Unknown,
            "SAME_UPPER" | "SAME_LOWER" => return size.over_up(stride),
            "VALID" => {
                let room = size.plus(&number(stride.saturating_sub(reach)));
                return room.over(&number(stride));
            }
            _ => size.plus(&number(self.padding(axis).saturating_sub(reach))),
        };
        match call.is_on("ceil_mode") {
            true => self.count_up(axis, size, &room),
            false => room.over(&number(stride)).plus(&number(1)),
        }
    }

    /// A window that would begin in the padding after the end does not count.
    fn count_up(&self, axis: usize, size: &Expr, room: &Expr) -> Expr {
        let rounded = room.over_up(self.strides[axis]).plus(&number(1));
        let after = self.pads[axis + self.kernel.len()];
        match (rounded.number(), size.number()) {
            (Some(count), Some(size)) if self.begins_within(axis, count, size) => rounded,
            (Some(count), Some(_)) => number(count.saturating_sub(1)),
            _ if self.strides[axis] <= self.reach(axis).saturating_sub(after) => rounded,
            _ => Expr::Unknown,
        }
    }

    /// Whether the last of so many windows begins before the padding after the end.
    fn begins_within(&self, axis: usize, count: i64, size: i64) -> bool {
        let begin = count.saturating_sub(1).saturating_mul(self.strides[axis]);
        begin < size.saturating_add(self.pads[axis])
    }
}
