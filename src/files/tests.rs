use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::stat::Mode;

use super::*;
use crate::units::Bytes;

const SMALL: Kind = Kind {
    name: "a note",
    most: Bytes(8),
    may_be_pipe: true,
};
const FILE_ONLY: Kind = Kind {
    may_be_pipe: false,
    ..SMALL
};

/// The result of a task, in time: a test that waits for ever tells nothing.
pub(crate) fn in_time<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> T {
    let (told, answer) = mpsc::channel();
    std::thread::spawn(move || told.send(task()));
    answer.recv_timeout(Duration::from_secs(60)).unwrap()
}

fn file(content: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

fn refusal(path: &Path, kind: Kind) -> String {
    let path = path.to_owned();
    in_time(move || bytes(&path, kind).map_err(|error| error.to_string())).unwrap_err()
}

#[test]
fn a_file_as_large_as_its_kind_is_read_and_a_larger_one_is_not() {
    assert_eq!(bytes(file(b"12345678").path(), SMALL).unwrap(), b"12345678");
    assert_eq!(bytes(file(b"").path(), SMALL).unwrap(), b"");
    let said = refusal(file(b"123456789").path(), SMALL);
    assert_eq!(said, "it has 9 bytes, and a note may have 8 bytes at most");
}

#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    assert!(refusal(&pipe, SMALL).contains("named pipe"));
    assert!(refusal(&pipe, FILE_ONLY).contains("read from a file only"));
    for device in [
        "/dev/zero",
        "/dev/random",
        "/dev/full",
        "/dev/tty",
        "/dev/ptmx",
    ] {
        let said = refusal(device.as_ref(), SMALL);
        assert!(
            said.contains("device") || !Path::new(device).exists(),
            "{device}: {said}"
        );
    }
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(refusal(&socket, SMALL).contains("socket"));
    assert_eq!(
        bytes(folder.path(), SMALL).unwrap_err().kind(),
        io::ErrorKind::IsADirectory
    );
    assert_eq!(
        bytes(&folder.path().join("none"), SMALL)
            .unwrap_err()
            .kind(),
        io::ErrorKind::NotFound
    );
    // A link is what it leads to.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    assert!(refusal(&link, SMALL).contains("device"));
}

fn through_pipe(
    parts: impl Iterator<Item = &'static [u8]> + Send + 'static,
    kind: Kind,
) -> io::Result<Vec<u8>> {
    let (reader, mut writer) = io::pipe().unwrap();
    let writing = std::thread::spawn(move || {
        for part in parts {
            std::thread::sleep(Duration::from_millis(20));
            if writer.write_all(part).is_err() {
                return;
            }
        }
    });
    let read = bytes(Path::new(&format!("/dev/fd/{}", reader.as_raw_fd())), kind);
    drop(reader);
    writing.join().unwrap();
    read
}

#[test]
fn a_pipe_that_is_meant_is_waited_for_and_no_longer_than_its_kind() {
    assert_eq!(
        through_pipe([&b"1234"[..], b"5678"].into_iter(), SMALL).unwrap(),
        b"12345678"
    );
    let said = through_pipe(std::iter::repeat(&[0; 100][..]), SMALL)
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "it goes on after 8 bytes, and a note may not have more"
    );
    assert!(
        through_pipe(std::iter::empty(), FILE_ONLY)
            .unwrap_err()
            .to_string()
            .contains("read from a file only")
    );
    assert_eq!(bytes("/dev/null".as_ref(), SMALL).unwrap(), b"");
}

#[test]
fn a_file_that_is_shortened_or_overwritten_is_said_to_have_changed() {
    let file = file(b"12345678");
    let opened = open(file.path(), SMALL).unwrap();
    let mut two = [0; 2];
    opened.read_exact_at(&mut two, 6).unwrap();
    opened.check_unchanged().unwrap();
    file.as_file().set_len(7).unwrap();
    let said = opened.read_exact_at(&mut two, 6).unwrap_err().to_string();
    assert_eq!(said, "the file changed while it was read");
    assert!(opened.check_unchanged().is_err() && opened.bytes().is_err());
    let mut all = Vec::new();
    assert!(opened.reader().read_to_end(&mut all).is_err());
}

#[test]
fn a_reader_goes_as_far_as_the_file_did_when_it_was_opened() {
    let mut file = file(b"1234");
    let opened = open(file.path(), SMALL).unwrap();
    file.write_all(b"5678").unwrap();
    let mut reader = opened.reader();
    let mut text = String::new();
    reader.seek(SeekFrom::End(-3)).unwrap();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "234");
}
