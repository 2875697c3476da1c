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
            Some(kernel) => self.slid_over(&kernel),
            None => vec![Expr::Unknown; data.len() - 2],
        };
        Some([&data[..1], &weight[..1], &places].concat())
    }

    fn windows(&self, kernel: &[i64]) -> Vec<Window> {
        let rank = kernel.len();
        let [strides, dilations] = ["strides", "dilations"].map(|name| self.list(name, 1, rank));
        let pads = self.list("pads", 0, 2 * rank);
        let windows = (0..rank).map(|axis| Window {
            kernel: kernel[axis],
            stride: strides[axis],
            dilation: dilations[axis],
            before: pads[axis],
            after: pads[axis + rank],
        });
        windows.collect()
    }

    fn slid_over(&self, kernel: &[i64]) -> Vec<Expr> {
        let auto = matches!(self.text("auto_pad"), "SAME_UPPER" | "SAME_LOWER");
        let sizes = self.dims(0).unwrap_or_default().iter().skip(2);
        let windows = self.windows(kernel).into_iter().zip(sizes);
        windows
            .map(|(window, size)| {
                if !auto {
                    let reach = window.reach();
                    let least = reach.saturating_sub(window.padding());
                    self.at_least(size, least, format_args!("has a window of {reach}"));
                }
                window.count(self, size)
            })
            .collect()
    }

    fn pool(&self) -> Dims {
        let dims = self.dims(0)?;
        let kernel = self.integers("kernel_shape")?;
        if self.channels_last() || kernel.len() + 2 != dims.len() {
            return unknown(dims.len());
        }
        Some([&dims[..2], &self.slid_over(&kernel)].concat())
    }

    fn transposed(&self) -> Dims {
        let (data, weight) = (self.dims(0)?, self.dims(1)?);
        if weight.len() != data.len() || data.len() < 3 {
            return None;
        }
        self.convolved(&weight[0], &weight[2..]);
        self.equal(&data[1], &weight[0], "has kernels of as many channels");
        let kernel = self.integers("kernel_shape");
        let kernel = kernel.or_else(|| numbers(&weight[2..]))?;
        let mut made = vec![data[0].clone(), self.in_groups(&weight[1])];
        let windows = self.windows(&kernel).into_iter().zip(&data[2..]);
        for (axis, (window, size)) in windows.enumerate() {
            let said = self.said_size(axis, kernel.len());
            made.push(said.unwrap_or_else(|| self.grown(axis, &window, size)));
        }
        Some(made)
    }

    /// The size of one of so many axes that an attribute says.
    fn said_size(&self, axis: usize, rank: usize) -> Option<Expr> {
        let sizes = self.stored_sizes("output_shape")?;
        let others = if sizes.len() == rank { 0 } else { 2 };
        Some(sizes.get(axis + others).cloned().unwrap_or_default())
    }

    fn grown(&self, axis: usize, window: &Window, size: &Expr) -> Expr {
        let stride = number(window.stride);
        let padding = match self.text("auto_pad") {
            "SAME_UPPER" | "SAME_LOWER" => return size.times(&stride),
            "VALID" => 0,
            _ => window.padding(),
        };
        let reach = window
            .reach()
            .saturating_add(self.nth("output_padding", axis));
        let ends = number(reach.saturating_sub(padding));
        size.minus(&number(1)).times(&stride).plus(&ends)
    }
}

/// A window along one axis.
struct Window {
    kernel: i64,
    stride: i64,
    dilation: i64,
    before: i64,
    after: i64,
}

impl Window {
    fn reach(&self) -> i64 {
        let steps = self.kernel.saturating_sub(1);
        self.dilation.saturating_mul(steps).saturating_add(1)
    }

    fn padding(&self) -> i64 {
        self.before.saturating_add(self.after)
    }

    /// How often the window fits; with `ceil`, places that it covers in part count.
    fn count(&self, call: &Call<'_>, size: &Expr) -> Expr {
        let (stride, reach) = (self.stride, self.reach());
        let room = match call.text("auto_pad") {
            _ if stride < 1 => return Expr::Unknown,
            "SAME_UPPER" | "SAME_LOWER" => return size.over_up(stride),
            "VALID" => {
                let room = size.plus(&number(stride.saturating_sub(reach)));
                return room.over(&number(stride));
            }
            _ => size.plus(&number(self.padding().saturating_sub(reach))),
        };
        match call.is_on("ceil_mode") {
            true => self.count_up(size, &room),
            false => room.over(&number(stride)).plus(&number(1)),
        }
    }

    /// A window that would begin in the padding after the end does not count.
    fn count_up(&self, size: &Expr, room: &Expr) -> Expr {
        let rounded = room.over_up(self.stride).plus(&number(1));
        match (rounded.number(), size.number()) {
            (Some(count), Some(size)) if self.begins_within(count, size) => rounded,
            (Some(count), Some(_)) => number(count.saturating_sub(1)),
            _ if self.stride <= self.reach().saturating_sub(self.after) => rounded,
            _ => Expr::Unknown,
        }
    }

    /// Whether the last of so many windows begins before the padding after the end.
    fn begins_within(&self, count: i64, size: i64) -> bool {
        let begin = count.saturating_sub(1).saturating_mul(self.stride);
        begin < size.saturating_add(self.before)
    }
}
