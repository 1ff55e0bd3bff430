import { describe, expect, test } from 'vitest'
import { mobileOf, nationalCodeOf } from './cardholders.ts'

describe('mobile numbers', () => {
  test.each([
    ['09121234567', '+989121234567'],
    ['9121234567', '+989121234567'],
    ['+98 912 123 4567', '+989121234567'],
    ['0098-912-123-4567', '+989121234567'],
    ['989121234567', '+989121234567'],
    ['۰۹۱۲۱۲۳۴۵۶۷', '+989121234567'],
    ['٠٩١٢١٢٣٤٥٦٧', '+989121234567'],
    ['02188776655', null],
    ['0912123456', null],
    ['091212345678', null],
    ['+441234567890', null],
    ['0912123456a', null],
    ['', null],
  ])('%s is %s', (text, mobile) => {
    expect(mobileOf(text)).toBe(mobile)
  })
})

describe('national codes', () => {
  test.each([
    ['0012345679', '0012345679'],
    ['12345679', '0012345679'],
    ['001-234567-9', '0012345679'],
    ['۰۰۱۲۳۴۵۶۷۹', '0012345679'],
    ['0499370899', '0499370899'],
    ['0790419904', '0790419904'],
    ['0084575948', '0084575948'],
    ['0012345678', null],
    ['0499370898', null],
    ['1111111111', null],
    ['0000000000', null],
    ['1234567', null],
    ['00123456790', null],
    ['00123456a9', null],
  ])('%s is %s', (text, code) => {
    expect(nationalCodeOf(text)).toBe(code)
  })

  test('every other last digit is refused', () => {
    const right = [...'0123456789'].filter(digit => nationalCodeOf(`049937089${digit}`) !== null)
    expect(right).toEqual(['9'])
  })
})
