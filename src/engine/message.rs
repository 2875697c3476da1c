//! ONNX Runtime's error messages, without what only its developers can use.

use super::EngineError;

use std::ops::Range;

/// Texts that may follow a function's parameters and belong to its signature.
const SIGNATURE_ENDS: [&str; 3] = [" const ", "::<lambda()> ", "::<lambda()> const "];

/// The message in one line, without the place in ONNX Runtime's sources that it comes from.
pub(super) fn words(message: &str) -> String {
    let mut line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    // The model is named by whoever reports the error.
    if let Some(rest) = line.strip_prefix("Load model from ")
        && let Some((_, rest)) = rest.split_once(" failed:")
    {
        line = rest.trim_start().to_owned();
    }
    while let Some(location) = source_location(&line) {
        line = format!(
            "{}{}",
            &line[..location.start],
            line[location.end..].trim_start()
        );
    }
    line
}

/// Where a text such as `/src/core/graph/model.cc:256 Model::Model(int, bool) const ` stands in a
/// line.
fn source_location(line: &str) -> Option<Range<usize>> {
    let start = line.split(' ').scan(0, |offset, word| {
        let start = *offset;
        *offset += word.len() + 1;
        Some((start, word))
    });
    let (start, word) = start.into_iter().find(|(_, word)| is_source_line(word))?;
    let after = start + word.len();
    Some(start..after + signature_length(&line[after..]))
}

fn is_source_line(word: &str) -> bool {
    word.rsplit_once(':').is_some_and(|(file, line)| {
        let is_source = [".cc", ".h", ".cpp", ".hpp"]
            .iter()
            .any(|extension| file.ends_with(extension));
        is_source && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// Length of the function's signature at the start of a text: up to the end of its parameters; 0 if
/// there is none.
fn signature_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' if depth > 1 => depth -= 1,
            ')' => {
                let end = index + 1;
                let suffix = SIGNATURE_ENDS
                    .iter()
                    .find(|suffix| text[end..].starts_with(**suffix));
                let end = end + suffix.map_or(0, |suffix| suffix.trim_end().len());
                return end + template_arguments_length(&text[end..]);
            }
            _ => {}
        }
    }
    0
}

/// Length of the template arguments that a compiler adds to a signature: ` [with T = int; ...]`; 0
/// if there are none.
fn template_arguments_length(text: &str) -> usize {
    text.find(']')
        .filter(|_| text.starts_with(" [with "))
        .map_or(0, |end| end + 1)
}

pub(super) fn bind_error(name: &str, error: &ort::Error) -> EngineError {
    EngineError::Bind {
        name: name.to_owned(),
        message: words(error.message()),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn places_in_the_sources_are_left_out_wherever_they_stand_and_other_words_stay() {
        for (message, left) in [
            (
                "Load model from m.onnx failed:/src/core/graph/model.cc:256 \
                 ort::Model::Model(onnx::ModelProto&&, const std::function<void(int)>&) Unsupported model IR version: 999",
                "Unsupported model IR version: 999",
            ),
            (
                "Status Message: /src/reshape_helper.h:91 R::R(const S&) const input_size was false. Shape:{32,4}\n",
                "Status Message: input_size was false. Shape:{32,4}",
            ),
            (
                "/src/factory.cc:232 ov::Parse(const Options&, Info&)::<lambda()> Invalid provider_option key: foo",
                "Invalid provider_option key: foo",
            ),
            (
                "Exception during initialization: /src/backend.cc:136 ov::Backend::Backend(Context&, Stream&) \
                 /src/interface.cc:28 auto ov::Boundary(Func&&, Args&& ...) [with bool typed = false; \
                 Func = Core::Read(std::string&&)::<lambda()>] [OpenVINO-EP] Exception while Reading network",
                "Exception during initialization: [OpenVINO-EP] Exception while Reading network",
            ),
            (
                "Non-zero status code (1) at 12:30,\n node a.cc of x.h: [1,2]",
                "Non-zero status code (1) at 12:30, node a.cc of x.h: [1,2]",
            ),
            (
                "failed at b.cc:7 nothing follows",
                "failed at nothing follows",
            ),
        ] {
            assert_eq!(words(message), left);
        }
    }
}
