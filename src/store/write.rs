//! Writing files that are either the old or the new one, never half of one.

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::leftovers::UNFINISHED;
use super::{Result, StoreError};
use crate::files;

/// Replaces the file of ours at `path` by one that holds `bytes`. Whenever the process is killed,
/// the file is the old or the new one. A link gives way to the file, and what it leads to stays as
/// it is.
///
/// # Errors
/// [`StoreError::Write`], which names `path`; also where something lies there that is neither a
/// file nor a link, which nobody meant to be written to.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |writer| writer.write_all(bytes))
}

pub(super) fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    check(path)
        .and_then(|()| replace(path, fill))
        .map_err(StoreError::writing(path))
}

/// Like [`write_atomically`], of a file that the user named: something that is not a regular file,
/// such as `/dev/stdout` or a named pipe, is written to instead of replaced, however long nobody
/// reads it.
///
/// # Errors
/// [`StoreError::Write`], which names `path`.
pub fn write_named(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        overwrite(path, bytes)
    } else {
        replace(path, |writer| writer.write_all(bytes))
    }
    .map_err(StoreError::writing(path))
}

fn check(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_symlink() => files::check_own(&metadata),
        // What else is wrong is told by writing.
        _ => Ok(()),
    }
}

fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    File::options().write(true).open(path)?.write_all(bytes)
}

fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    builder.permissions(Permissions::from_mode(0o666));
    let mut writer = BufWriter::new(builder.tempfile_in(folder)?);
    fill(&mut writer)?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_replaces_the_file_or_keeps_the_old_one_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.md");
        write_atomically(&path, b"old").unwrap();
        let result = write_with(&path, |writer| {
            writer.write_all(b"ne")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(result.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn special_files_that_are_named_are_not_replaced_and_a_full_disk_is_an_error_that_names_the_file()
     {
        let error = write_named(Path::new("/dev/full"), b"report").unwrap_err();
        assert_eq!(error.to_string(), "failed to write `/dev/full`");
        assert!(error.hint().unwrap().starts_with("free some space"));
        write_named(Path::new("/dev/null"), b"report").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn written_files_are_as_readable_as_others() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, plain] = ["ours", "plain"].map(|name| folder.path().join(name));
        write_atomically(&ours, b"").unwrap();
        fs::write(&plain, b"").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn what_nobody_named_is_neither_written_to_nor_waited_for() {
        use nix::sys::stat::Mode;
        let folder = tempfile::tempdir().unwrap();
        let [pipe, file, link, other] =
            ["pipe", "file", "link", "other"].map(|name| folder.path().join(name));
        nix::unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
        let waiting = pipe.clone();
        let error =
            files::tests::in_time(move || write_atomically(&waiting, b"report")).unwrap_err();
        let StoreError::Write { source, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            source.to_string(),
            "there is a named pipe where a file is to be written"
        );
        assert_eq!(error.hint().unwrap(), "move away what lies there");
        assert!(write_atomically(Path::new("/dev/null"), b"report").is_err());
        fs::write(&file, "theirs").unwrap();
        for (to, name) in [(&file, &link), (&pipe, &other)] {
            std::os::unix::fs::symlink(to, name).unwrap();
            write_atomically(name, b"report").unwrap();
            assert!(!name.is_symlink() && fs::read(name).unwrap() == b"report");
        }
        assert_eq!(fs::read(&file).unwrap(), b"theirs");
    }
}
