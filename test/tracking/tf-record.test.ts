import { expect, it } from 'vitest';

import { crc32c, maskedCrc32c } from '../../src/tracking/crc32c.js';
import { tfRecord } from '../../src/tracking/tf-record.js';

it('has the checksums of RFC 3720, appendix B.4', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index))).toBe(0x46dd794e);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

it('frames a record by its length and two masked checksums', () => {
  const data = Buffer.from('abc');
  const record = tfRecord(data);
  expect(record).toHaveLength(19);
  expect(record.readBigUInt64LE(0)).toBe(3n);
  expect(record.readUInt32LE(8)).toBe(maskedCrc32c(record.subarray(0, 8)));
  expect(record.subarray(12, 15)).toEqual(data);
  expect(record.readUInt32LE(15)).toBe(maskedCrc32c(data));
});
