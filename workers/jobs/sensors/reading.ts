/** Reading: what a sensor has measured. */

export interface Reading {
  readonly sensor: string;
  /** One of the register, `districts.ts`. */
  readonly district: string;
  /** Degrees Celsius. */
  readonly temperature: number;
  /** Vehicles a minute. */
  readonly traffic: number;
  /** A pollution index: higher is worse. */
  readonly airQuality: number;
}
