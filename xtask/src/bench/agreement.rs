//! Does a peer compute what we compute?

use std::fmt;

use serde::Serialize;

/// A peer's outputs beside ours.
///
/// Every library requantizes by a contract of its own (`cargo xtask contracts`), so codes may
/// differ where they lie near a tie, or above 127 where a peer's codes are u8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Agreement {
    /// How many outputs were compared.
    pub(crate) outputs: usize,
    /// How many differ.
    pub(crate) differing: usize,
    /// The largest difference.
    pub(crate) largest: u32,
    /// Images (rows) whose largest output is at the same place.
    pub(crate) same_class: usize,
    /// How many images there are.
    pub(crate) images: usize,
}

impl Agreement {
    /// Compares outputs of one shape, the same number for each image.
    ///
    /// # Errors
    /// What makes the two incomparable: another count, or outputs most of which differ, which no
    /// contract explains.
    pub(crate) fn new(ours: &[i32], theirs: &[i32], images: usize) -> Result<Self, String> {
        if ours.len() != theirs.len() {
            return Err(format!(
                "{} outputs instead of {}",
                theirs.len(),
                ours.len()
            ));
        }
        let differences = (ours.iter().zip(theirs)).map(|(a, b)| a.abs_diff(*b));
        let each = (ours.len() / images.max(1)).max(1);
        let found = Self {
            outputs: ours.len(),
            differing: differences
                .clone()
                .filter(|&difference| difference > 0)
                .count(),
            largest: differences.max().unwrap_or(0),
            same_class: (ours.chunks(each).zip(theirs.chunks(each)))
                .filter(|(ours, theirs)| first_largest(ours) == first_largest(theirs))
                .count(),
            images,
        };
        if 2 * found.differing > found.outputs {
            return Err(format!("computes something else: {found}"));
        }
        Ok(found)
    }
}

fn first_largest(values: &[i32]) -> Option<usize> {
    let largest = values.iter().max()?;
    values.iter().position(|value| value == largest)
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.differing == 0 {
            return f.write_str("equal");
        }
        write!(
            f,
            "differs by contract: {} of {} codes, by at most {}",
            self.differing, self.outputs, self.largest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_outputs_are_equal() {
        let found = Agreement::new(&[1, 2, 3, 4], &[1, 2, 3, 4], 2).unwrap();
        assert_eq!(found.to_string(), "equal");
        assert_eq!(found.same_class, 2);
    }

    #[test]
    fn what_differs_is_counted_by_code_and_by_image() {
        let found = Agreement::new(&[5, 4, 0, 9, 1, 2], &[5, 6, 0, 9, 1, 1], 2).unwrap();
        assert_eq!(
            found.to_string(),
            "differs by contract: 2 of 6 codes, by at most 2"
        );
        assert_eq!((found.same_class, found.images), (1, 2));
    }

    #[test]
    fn another_count_or_other_values_are_no_contract() {
        let count = Agreement::new(&[1, 2], &[1], 1).unwrap_err();
        assert_eq!(count, "1 outputs instead of 2");
        let values = Agreement::new(&[1, 2, 3], &[1, 9, 9], 1).unwrap_err();
        assert!(values.starts_with("computes something else: "), "{values}");
    }
}
