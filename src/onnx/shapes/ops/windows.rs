//! Operators that slide a window over places: convolutions and pools.

use super::{Call, Dims, Expr, Known, number, roles, unknown};

pub(super) fn dims(call: &Call<'_>, known: &mut Known) -> Option<Vec<Dims>> {
    let made = match call.node.operator.as_str() {
        "Conv" | "FusedConv" | "ConvInteger" => convolution(call, known, 1),
        "QLinearConv" => convolution(call, known, 3),
        "ConvTranspose" => transposed(call, known),
        "MaxPool" | "AveragePool" | "LpPool" | "QLinearAveragePool" => {
            let pooled = pool(call, known);
            return Some(vec![pooled.clone(), pooled]);
        }
        "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" | "QLinearGlobalAveragePool" => {
            whole(call)
        }
        _ => return None,
    };
    Some(vec![made])
}

/// Whether channels stand last, which quantized operators can say.
fn channels_last(call: &Call<'_>) -> bool {
    call.integer("channels_last", 0) == 1
}

fn whole(call: &Call<'_>) -> Dims {
    let dims = call.dims(0).filter(|_| !channels_last(call))?;
    Some(
        dims.iter()
            .enumerate()
            .map(|(axis, size)| if axis < 2 { size.clone() } else { number(1) })
            .collect(),
    )
}

struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    pads: Vec<i64>,
}

/// So many numbers of an attribute, or a filler in place of each.
fn list(call: &Call<'_>, name: &str, filler: i64, count: usize) -> Vec<i64> {
    call.integers(name)
        .filter(|values| values.len() == count)
        .unwrap_or_else(|| vec![filler; count])
}

impl Window {
    fn of(call: &Call<'_>, kernel: Vec<i64>) -> Window {
        let rank = kernel.len();
        Window {
            kernel,
            strides: list(call, "strides", 1, rank),
            dilations: list(call, "dilations", 1, rank),
            pads: list(call, "pads", 0, 2 * rank),
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
        let stride = self.strides[axis];
        if stride < 1 {
            return Expr::Unknown;
        }
        match call.text("auto_pad") {
            "SAME_UPPER" | "SAME_LOWER" => size.over_up(stride),
            "VALID" => size
                .plus(&number(stride.saturating_sub(self.reach(axis))))
                .over(&number(stride)),
            _ => {
                let room = size.plus(&number(self.padding(axis).saturating_sub(self.reach(axis))));
                if call.integer("ceil_mode", 0) == 1 {
                    return self.count_up(axis, size, &room);
                }
                room.over(&number(stride)).plus(&number(1))
            }
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

fn convolution(call: &Call<'_>, known: &mut Known, kernel_input: usize) -> Dims {
    let rank = call
        .dims(0)
        .map(<[Expr]>::len)
        .or_else(|| call.dims(kernel_input).map(<[Expr]>::len))?;
    let (Some(data), Some(weight)) = (call.dims(0), call.dims(kernel_input)) else {
        return unknown(rank);
    };
    if channels_last(call) || weight.len() != rank || rank < 3 {
        return unknown(rank);
    }
    roles::convolved(
        call,
        known,
        &weight[1].times(&number(call.integer("group", 1))),
        &weight[2..],
    );
    channels(call, known, weight);
    let places = match weight[2..]
        .iter()
        .map(Expr::number)
        .collect::<Option<Vec<_>>>()
    {
        Some(kernel) => slid(call, known, &Window::of(call, kernel)),
        None => vec![Expr::Unknown; rank - 2],
    };
    Some([&[data[0].clone(), weight[0].clone()][..], &places].concat())
}

fn channels(call: &Call<'_>, known: &mut Known, weight: &[Expr]) {
    let Some([_, channels, ..]) = call.dims(0) else {
        return;
    };
    let group = call.integer("group", 1);
    let wanted = weight[1].times(&number(group));
    known.equal(channels, &wanted, || match wanted.number() {
        Some(count) => format!("{} has kernels of {count} channels", call.words()),
        None => format!("{} has kernels of as many channels", call.words()),
    });
}

fn slid(call: &Call<'_>, known: &mut Known, window: &Window) -> Vec<Expr> {
    let dims = call.dims(0).unwrap_or_default();
    let auto = matches!(call.text("auto_pad"), "SAME_UPPER" | "SAME_LOWER");
    (0..window.kernel.len())
        .map(|axis| {
            let Some(size) = dims.get(axis + 2) else {
                return Expr::Unknown;
            };
            let least = window.reach(axis).saturating_sub(window.padding(axis));
            if !auto {
                known.at_least(size, least, || {
                    format!("{} has a window of {}", call.words(), window.reach(axis))
                });
            }
            window.count(call, axis, size)
        })
        .collect()
}

fn pool(call: &Call<'_>, known: &mut Known) -> Dims {
    let dims = call.dims(0)?;
    let kernel = call.integers("kernel_shape")?;
    if channels_last(call) || kernel.len() + 2 != dims.len() {
        return unknown(dims.len());
    }
    Some([&dims[..2], &slid(call, known, &Window::of(call, kernel))].concat())
}

fn transposed(call: &Call<'_>, known: &mut Known) -> Dims {
    let (data, weight) = (call.dims(0)?, call.dims(1)?);
    if weight.len() != data.len() || data.len() < 3 {
        return None;
    }
    roles::convolved(call, known, &weight[0], &weight[2..]);
    known.equal(&data[1], &weight[0], || {
        format!("{} has kernels of as many channels", call.words())
    });
    let kernel = match call.integers("kernel_shape") {
        Some(kernel) => kernel,
        None => weight[2..]
            .iter()
            .map(Expr::number)
            .collect::<Option<_>>()?,
    };
    let window = Window::of(call, kernel);
    let mut made = vec![
        data[0].clone(),
        weight[1].times(&number(call.integer("group", 1))),
    ];
    made.extend((0..window.kernel.len()).map(|axis| grown(call, &window, axis, &data[axis + 2])));
    Some(made)
}

fn grown(call: &Call<'_>, window: &Window, axis: usize, size: &Expr) -> Expr {
    if let Some(given) = call.integers("output_shape") {
        let place = if given.len() == window.kernel.len() {
            axis
        } else {
            axis + 2
        };
        return given.get(place).map_or(Expr::Unknown, |&size| number(size));
    }
    let more = call
        .integers("output_padding")
        .and_then(|values| values.get(axis).copied())
        .unwrap_or(0);
    let stride = number(window.strides[axis]);
    match call.text("auto_pad") {
        "SAME_UPPER" | "SAME_LOWER" => size.times(&stride),
        "VALID" => size
            .minus(&number(1))
            .times(&stride)
            .plus(&number(window.reach(axis).saturating_add(more))),
        _ => {
            let ends = window
                .reach(axis)
                .saturating_add(more)
                .saturating_sub(window.padding(axis));
            size.minus(&number(1)).times(&stride).plus(&number(ends))
        }
    }
}
