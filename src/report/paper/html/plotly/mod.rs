//! The chart library of the page: plotly.js with the traces that charts need, as npm has it in
//! `plotly.js-basic-dist-min`, compressed. Its licence stands beside it and, in short, in its first
//! lines.

use std::io::{self, Read as _};

use flate2::read::GzDecoder;

const COMPRESSED: &[u8] = include_bytes!("plotly-basic.min.js.gz");

/// Fails where the file in this program is damaged.
pub(super) fn library() -> io::Result<String> {
    let mut script = String::new();
    GzDecoder::new(COMPRESSED).read_to_string(&mut script)?;
    Ok(script)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// Of `plotly-basic.min.js` in npm's package of version 3.0.1.
    const SHA_256: &str = "9750237b42d97af386c25ad644d858ac5b7735dd65e8583e32c9234d551db7f4";

    #[test]
    fn library_is_the_one_that_npm_has() {
        let script = library().unwrap();
        let sha_256: String = Sha256::digest(&script)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(sha_256, SHA_256);
        assert!(
            !script.contains("</script") && !script.contains("<!--"),
            "it would end its element"
        );
    }

    #[test]
    fn library_goes_with_its_licence() {
        let head = "/**\n* plotly.js (basic - minified) v3.0.1\n* Copyright 2012-2025, Plotly, Inc.\n* All rights reserved.\n* Licensed under the MIT license\n*/";
        assert!(library().unwrap().starts_with(head));
        let licence = include_str!("LICENSE");
        assert!(
            licence.starts_with("MIT License\n") && licence.contains("Plotly Technologies Inc."),
            "{licence}"
        );
        assert!(
            licence.contains("permission notice shall be included in\nall copies"),
            "{licence}"
        );
    }
}
