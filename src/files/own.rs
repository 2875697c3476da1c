//! Files of our own, in folders where anything may lie under their names.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use super::kind::Refusal;

/// Opens a file of our own as `options` say. What else lies there is neither followed nor waited
/// for.
pub(crate) fn open_own(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // Before it is opened: some devices do something then.
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => check_own(&found?)?,
    }
    let goes_nowhere_and_waits_for_nobody = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = options
        .custom_flags(goes_nowhere_and_waits_for_nobody.bits())
        .open(path)?;
    check_own(&file.metadata()?)?;
    Ok(file)
}

/// Makes sure that what lies in the place of a file of our own is a regular file.
pub(crate) fn check_own(metadata: &Metadata) -> io::Result<()> {
    let file_type = metadata.file_type();
    let what = match () {
        () if file_type.is_file() => return Ok(()),
        () if file_type.is_dir() => return Err(io::Error::from_raw_os_error(nix::libc::EISDIR)),
        () if file_type.is_symlink() => "a link",
        () if file_type.is_fifo() => "a named pipe",
        () if file_type.is_socket() => "a socket",
        () => "a device",
    };
    Err(Refusal::InTheWay { what }.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use nix::sys::stat::Mode;

    use super::super::tests::in_time;
    use super::*;

    fn opened(path: &Path) -> io::Result<File> {
        let path = path.to_owned();
        in_time(move || {
            open_own(
                &path,
                File::options().write(true).create(true).truncate(false),
            )
        })
    }

    #[test]
    fn a_file_of_our_own_is_created_and_opened_again_and_what_lies_in_its_place_is_neither_followed_nor_waited_for()
     {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(opened(&at("own")).is_ok() && opened(&at("own")).is_ok() && at("own").is_file());
        nix::unistd::mkfifo(&at("pipe"), Mode::S_IRWXU).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink(at("elsewhere"), at("link")).unwrap();
        for (path, what) in [
            (at("pipe"), "a named pipe"),
            (at("socket"), "a socket"),
            (at("link"), "a link"),
            ("/dev/null".into(), "a device"),
        ] {
            let said = opened(&path).unwrap_err().to_string();
            assert_eq!(
                said,
                format!("there is {what} where a file is to be written")
            );
        }
        assert_eq!(
            opened(folder.path()).unwrap_err().kind(),
            io::ErrorKind::IsADirectory
        );
        assert!(!at("elsewhere").exists());
    }
}
