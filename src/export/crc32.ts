/** CRC-32 of joined pieces from those of the pieces, so that each can be computed where it is compressed. */

/** The CRC's polynomial; as in all of it, bit 31 stands for x⁰. */
const POLYNOMIAL = 0xedb88320;
const X0 = 0x80000000;
const X8 = 0x00800000;

/** The CRC of two pieces in a row. `secondBytes` is the size of the second. */
export function combineCrc(first: number, second: number, secondBytes: number): number {
  return (multiply(first, powerOfX8(secondBytes)) ^ second) >>> 0;
}

/** x⁸ to the power of `exponent`, modulo the polynomial: what that many zero bytes do to a CRC. */
function powerOfX8(exponent: number): number {
  let power = X0;
  let square = X8;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

/** The product of two polynomials, modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = X0; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}
