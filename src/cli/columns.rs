//! How many columns the terminal has.

use std::io::{self, IsTerminal as _};
use std::os::fd::AsRawFd as _;

use crate::report::Style;

/// Fewer columns are not taken seriously: no name and no figure would stay in one piece.
const FEWEST: usize = 30;

nix::ioctl_read_bad!(window_size, nix::libc::TIOCGWINSZ, nix::libc::winsize);

/// Columns of a text on stdout: those of `COLUMNS`, else the terminal's; at most [`Style::WIDTH`],
/// its default.
pub(super) fn columns() -> usize {
    columns_of(std::env::var("COLUMNS").ok().as_deref(), of_terminal())
}

fn columns_of(told: Option<&str>, terminal: Option<usize>) -> usize {
    told.and_then(|told| told.trim().parse().ok())
        .filter(|&columns| columns > 0)
        .or(terminal)
        .map_or(Style::WIDTH, |columns| columns.clamp(FEWEST, Style::WIDTH))
}

/// The columns of the terminal that stdout is; `None` where it is none, or does not tell.
fn of_terminal() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    let mut size = nix::libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the kernel writes a `winsize`, which lives for the whole call, and the descriptor is
    // open.
    unsafe { window_size(stdout.as_raw_fd(), &raw mut size) }.ok()?;
    Some(usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_goes_before_the_terminal_and_nothing_is_wider_than_can_be_read() {
        assert_eq!(columns_of(None, None), 100);
        assert_eq!(columns_of(None, Some(80)), 80);
        assert_eq!(columns_of(Some("50"), Some(80)), 50);
        assert_eq!(columns_of(Some("500"), None), 100);
        assert_eq!(columns_of(Some("3"), None), 30);
        for nonsense in ["", "0", "-1", "wide"] {
            assert_eq!(columns_of(Some(nonsense), Some(80)), 80, "{nonsense}");
        }
    }
}
