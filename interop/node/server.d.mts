// What the clients in TypeScript use of server.mjs.

export interface Device {
  deviceID: string;
  phoneNumber: string;
  clientName: string;
}

export interface Server {
  north: string;
  south: string;
  log(): string;
  end(): Promise<void>;
}

export const ADMIN: { name: string; password: string };
export function serve(options?: { principals?: object[]; config?: string }): Promise<Server>;
export function newDevice(): Device;
export function fleet(server: Server, devices: Device[]): { end(): Promise<void> };
