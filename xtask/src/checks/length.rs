//! A file stays under 500 lines of code: not counting blanks, comments and test modules that stand in it.

use super::File;
use super::source::Source;

const MOST: usize = 500;

/// A file that is too long.
pub(super) fn check(file: &File) -> Option<String> {
    let lines = Source::read(&file.text).lines_of_code();
    (lines > MOST).then(|| format!("{}: {lines} lines of code, but {MOST} are the most", file.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: usize) -> File {
        File { path: "crates/a/src/lib.rs".into(), text: "fn f() {}\n// why\n\n".repeat(lines) }
    }

    #[test]
    fn the_five_hundred_and_first_line_is_one_too_many() {
        assert_eq!(check(&file(500)), None);
        assert!(check(&file(501)).unwrap().contains("501 lines of code"));
    }
}
