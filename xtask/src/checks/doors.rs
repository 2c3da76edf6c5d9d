//! Each module opens with `//!`: what it is for, what it promises, what it refuses.

use super::File;

/// A file of a `src` folder that opens otherwise. Files of tests are no modules that anyone enters by.
pub(super) fn check(file: &File) -> Option<String> {
    let is_module =
        file.path.components().any(|part| part.as_os_str() == "src") && !file.path.ends_with("tests.rs");
    let opens = file.text.starts_with("//! ");
    (is_module && !opens).then(|| format!("{}: opens without a line of `//!`", file.path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn a_module_without_an_opening_line_is_named() {
        let wrong = check(&file("crates/a/src/lib.rs", "use std::fs;\n//! Late.\n")).unwrap();
        assert!(wrong.starts_with("crates/a/src/lib.rs: "));
        assert_eq!(check(&file("crates/a/src/lib.rs", "//! Why.\n")), None);
        assert_eq!(check(&file("crates/a/src/b/tests.rs", "use super::*;\n")), None);
    }
}
