//! A dense array in row-major order.

use std::ops::{Index, IndexMut};

use crate::ShapeError;

/// Values with a shape, last axis fastest: `x[[n, c, y, x]]` of an NCHW tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<E> {
    shape: Vec<usize>,
    data: Vec<E>,
}

impl<E: Copy> Tensor<E> {
    /// The values `data` in row-major order under `shape`.
    ///
    /// # Errors
    /// The product of `shape` overflows, or is not `data.len()`.
    pub fn new(shape: &[usize], data: Vec<E>) -> Result<Self, ShapeError> {
        let expected = volume(shape)?;
        if expected != data.len() {
            return Err(ShapeError::Length {
                shape: shape.to_vec(),
                expected,
                got: data.len(),
            });
        }
        Ok(Self {
            shape: shape.to_vec(),
            data,
        })
    }

    /// A tensor of one repeated value.
    ///
    /// # Errors
    /// It would hold more than [`MAX_VALUES`].
    pub fn full(shape: &[usize], value: E) -> Result<Self, ShapeError> {
        Self::new(shape, vec![value; allocatable(shape)?])
    }

    /// The size of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All values, row-major.
    pub fn data(&self) -> &[E] {
        &self.data
    }

    /// All values, row-major, to be written.
    pub fn data_mut(&mut self) -> &mut [E] {
        &mut self.data
    }

    /// The values alone.
    pub fn into_data(self) -> Vec<E> {
        self.data
    }

    /// The number of values in one step of the first axis (an image of NCHW).
    pub fn item_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The values at position `i` of the first axis.
    pub fn item(&self, i: usize) -> &[E] {
        &self.data[i * self.item_len()..][..self.item_len()]
    }

    /// The first `count` positions of the first axis (all, if there are fewer).
    pub fn head(&self, count: usize) -> Self {
        let mut shape = self.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first = count.min(*first);
        }
        let kept = shape.iter().product();
        Self {
            shape,
            data: self.data[..kept].to_vec(),
        }
    }

    /// The same shape with `f` of each value.
    pub fn map<F: Copy>(&self, f: impl FnMut(E) -> F) -> Tensor<F> {
        Tensor {
            shape: self.shape.clone(),
            data: self.data.iter().copied().map(f).collect(),
        }
    }

    /// The same shape with `f` of each value and its position along an axis (0 where the shape
    /// has no such axis).
    pub fn map_along<F: Copy>(&self, axis: usize, mut f: impl FnMut(usize, E) -> F) -> Tensor<F> {
        let extent = self.shape.get(axis).copied().unwrap_or(1);
        let step: usize = self.shape.iter().skip(axis + 1).product();
        let mut data = Vec::with_capacity(self.data.len());
        // Neither the step nor the extent is 0 where there are values. No division: it would take
        // longer than most functions.
        for item in self.data.chunks((step * extent).max(1)) {
            for (position, values) in item.chunks(step.max(1)).enumerate() {
                data.extend(values.iter().map(|&value| f(position, value)));
            }
        }
        Tensor {
            shape: self.shape.clone(),
            data,
        }
    }

    /// The same values under another shape.
    ///
    /// # Errors
    /// The shapes hold different numbers of values.
    pub fn reshape(self, shape: &[usize]) -> Result<Self, ShapeError> {
        Self::new(shape, self.data)
    }

    /// Where in the shape the value at row-major position `flat` lies.
    pub fn position(&self, flat: usize) -> Vec<usize> {
        let mut rest = flat;
        let mut position = vec![0; self.shape.len()];
        for (at, &size) in position.iter_mut().zip(&self.shape).rev() {
            *at = rest % size;
            rest /= size;
        }
        position
    }

    fn offset<const R: usize>(&self, index: [usize; R]) -> usize {
        debug_assert_eq!(R, self.shape.len(), "rank of the index");
        index
            .iter()
            .zip(&self.shape)
            .fold(0, |offset, (&i, &size)| {
                debug_assert!(i < size, "index {index:?} outside {:?}", self.shape);
                offset * size + i
            })
    }
}

impl<E: Copy, const R: usize> Index<[usize; R]> for Tensor<E> {
    type Output = E;
    fn index(&self, index: [usize; R]) -> &E {
        &self.data[self.offset(index)]
    }
}

impl<E: Copy, const R: usize> IndexMut<[usize; R]> for Tensor<E> {
    fn index_mut(&mut self, index: [usize; R]) -> &mut E {
        let at = self.offset(index);
        &mut self.data[at]
    }
}

/// The most values of a tensor that is made here and not read: shapes come from files,
/// and a file of a few bytes must not ask for all memory.
pub const MAX_VALUES: usize = 1 << 28;

/// The product of a shape that may be allocated.
///
/// # Errors
/// It is more than [`MAX_VALUES`].
pub(crate) fn allocatable(shape: &[usize]) -> Result<usize, ShapeError> {
    match volume(shape)? {
        values if values <= MAX_VALUES => Ok(values),
        _ => Err(ShapeError::TooLarge {
            shape: shape.to_vec(),
        }),
    }
}

/// The product of a shape.
///
/// # Errors
/// It overflows a `usize`.
pub fn volume(shape: &[usize]) -> Result<usize, ShapeError> {
    // An empty axis does not excuse the others: `item_len` leaves out the first.
    let without_empty = (shape.iter())
        .try_fold(1usize, |product, &size| product.checked_mul(size.max(1)))
        .ok_or_else(|| ShapeError::TooLarge {
            shape: shape.to_vec(),
        })?;
    Ok(if shape.contains(&0) { 0 } else { without_empty })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_is_row_major() {
        let t = Tensor::new(&[2, 3, 4], (0..24).collect()).unwrap();
        assert_eq!(t[[0, 0, 0]], 0);
        assert_eq!(t[[0, 0, 3]], 3);
        assert_eq!(t[[0, 2, 0]], 8);
        assert_eq!(t[[1, 2, 3]], 23);
        assert_eq!(t.position(23), [1, 2, 3]);
        assert_eq!(t.position(8), [0, 2, 0]);
        assert_eq!(t.item_len(), 12);
        assert_eq!(t.item(1), (12..24).collect::<Vec<_>>());
    }

    #[test]
    fn a_position_along_an_axis_is_given() {
        let t = Tensor::new(&[2, 3, 2], (0..12).collect()).unwrap();
        let along = |axis| t.map_along(axis, |at, value: i32| (at, value)).into_data();
        for axis in 0..3 {
            let expected: Vec<(usize, i32)> = (0..12)
                .map(|at| (t.position(at)[axis], at as i32))
                .collect();
            assert_eq!(along(axis), expected);
        }
        assert!(along(3).iter().all(|&(at, _)| at == 0));
        let empty = Tensor::new(&[0, 0], Vec::<i32>::new()).unwrap();
        assert_eq!(empty.map_along(1, |at, _| at).shape(), [0, 0]);
    }

    #[test]
    fn index_mut_writes_where_index_reads() {
        let mut t = Tensor::full(&[2, 3], 0).unwrap();
        t[[1, 2]] = 7;
        assert_eq!(t.data(), [0, 0, 0, 0, 0, 7]);
        t.data_mut()[0] = 5;
        assert_eq!(t[[0, 0]], 5);
    }

    #[test]
    fn wrong_length_and_overflow_are_errors() {
        assert_eq!(
            Tensor::new(&[2, 2], vec![0; 3]),
            Err(ShapeError::Length {
                shape: vec![2, 2],
                expected: 4,
                got: 3
            })
        );
        for shape in [&[usize::MAX, 2][..], &[0, usize::MAX, 2]] {
            assert_eq!(
                Tensor::<u8>::full(shape, 0),
                Err(ShapeError::TooLarge {
                    shape: shape.to_vec()
                })
            );
        }
        assert_eq!(
            Tensor::full(&[3, 0], 0u8).map(Tensor::into_data),
            Ok(vec![])
        );
    }

    #[test]
    fn a_few_bytes_cannot_ask_for_all_memory() {
        assert_eq!(allocatable(&[1 << 14, 1 << 14]), Ok(MAX_VALUES));
        let shape = [MAX_VALUES + 1];
        assert_eq!(
            Tensor::<u8>::full(&shape, 0),
            Err(ShapeError::TooLarge {
                shape: shape.to_vec()
            })
        );
    }

    #[test]
    fn head_keeps_the_first_items() {
        let t = Tensor::new(&[3, 2], (0..6).collect()).unwrap();
        assert_eq!(t.head(2).data(), [0, 1, 2, 3]);
        assert_eq!(t.head(2).shape(), [2, 2]);
        assert_eq!(t.head(9), t);
    }

    #[test]
    fn reshape_and_map_keep_the_order() {
        let t = Tensor::new(&[2, 3], (0..6).collect::<Vec<i32>>()).unwrap();
        let doubled = t.map(|v| 2 * v).reshape(&[3, 2]).unwrap();
        assert_eq!(doubled.shape(), [3, 2]);
        assert_eq!(doubled.into_data(), [0, 2, 4, 6, 8, 10]);
    }
}
