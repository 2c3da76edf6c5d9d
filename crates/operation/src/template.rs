//! Text with `{parameter}` in it. `{{` is a literal `{`; a `}` outside a placeholder stands for itself.

use crate::parameters::is_parameter_name;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that is sent as it is declared.
    Literal(String),
    /// The place of an argument.
    Parameter(String),
}

/// A text template, taken apart once at load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

impl Template {
    /// Takes `text` apart, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            literal.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                literal.push('{');
                rest = after;
                continue;
            }
            let unclosed =
                || format!("`{{` in `{text}` opens no `{{parameter}}`: a literal one is written `{{{{`");
            let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
            if !is_parameter_name(name) {
                return Err(unclosed());
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Parameter(name.to_owned()));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self(pieces))
    }

    /// Its pieces, in order.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The parameter that it consists of, when it is exactly one.
    pub(crate) fn alone(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Parameter(name)] => Some(name),
            _ => None,
        }
    }

    /// Its literal text.
    pub(crate) fn literal(&self) -> String {
        let literal = |piece: &Piece| match piece {
            Piece::Literal(text) => Some(text.clone()),
            Piece::Parameter(_) => None,
        };
        self.0.iter().filter_map(literal).collect()
    }

    /// The parameters in it.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let template = Template::parse(text).unwrap();
        let show = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Parameter(name) => format!("<{name}>"),
        };
        template.pieces().iter().map(show).collect()
    }

    #[test]
    fn placeholders_and_literals_are_told_apart() {
        assert_eq!(parts("a{b}c{d}"), ["a", "<b>", "c", "<d>"]);
        assert_eq!(parts("{{b}"), ["{b}"]);
        assert_eq!(parts("{{{b}}"), ["{", "<b>", "}"]);
        assert_eq!(parts("a}b"), ["a}b"]);
        assert_eq!(parts(""), Vec::<String>::new());
    }

    #[test]
    fn what_opens_no_placeholder_is_refused() {
        for bad in ["{", "{}", "a{b", "{ b }", "{1}", "{a b}", "{a{b}", "{é}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
